// Writes `.br` and `.gz` beside every file that gets smaller, with the best settings. Called by the build tool (compress.rs):
//   node xtask/compress.mjs    reads one path a line
// Node's zlib has both, and compresses several files at a time; a crate for it took a third of the build tool's compile time.
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** The best setting and the largest window: each file is compressed once and sent many times. */
const settings = (bytes) => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: 22,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  },
});

async function compress(path) {
  const bytes = readFileSync(path);
  const smaller = { br: brotli(bytes, settings(bytes)), gz: deflate(bytes, { level: constants.Z_BEST_COMPRESSION }) };
  for (const [ending, promise] of Object.entries(smaller)) {
    const written = await promise;
    if (written.length < bytes.length) writeFileSync(`${path}.${ending}`, written);
  }
}

const paths = readFileSync(0, "utf8").split("\n").filter(Boolean);
await Promise.all(paths.map(compress));
