import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "patchbay-demo";

/** Two free ports in a row: the demo listens on the first, the sandbox on the second. */
async function freePort() {
  for (;;) {
    const port = 20000 + Math.floor(Math.random() * 20000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port) {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

/** Starts `patchbay demo` on a fresh data folder and waits until its history is made. PATCHBAY_URL uses a running one. */
export async function startDemo() {
  if (process.env.PATCHBAY_URL) return { url: process.env.PATCHBAY_URL, stop: async () => {} };
  const data = mkdtempSync(join(tmpdir(), "patchbay-e2e-"));
  const port = await freePort();
  const program = process.env.PATCHBAY_BIN ?? "target/debug/patchbay";
  // Passkeys belong to a host name, and a number is none.
  const site = { PATCHBAY_LISTEN: `127.0.0.1:${port}`, PATCHBAY_PUBLIC_URL: `http://localhost:${port}` };
  // A short past, and no calls but those that journeys make: nothing that they count may come by itself.
  const story = { PATCHBAY_DEMO_PAST_DAYS: "6", PATCHBAY_DEMO_STILL: "true" };
  const env = { ...process.env, PATCHBAY_DATA_DIR: data, ...site, ...story, PATCHBAY_PG_FSYNC: "off" };
  delete env.DATABASE_URL;
  const child = spawn(program, ["demo"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const ended = new Promise((done) => child.once("exit", done));
  const ready = new Promise((done, fail) => {
    const limit = setTimeout(() => fail(new Error(`the demo was not ready in 8 minutes\n${output.slice(-4000)}`)), 480_000);
    const read = (chunk) => {
      output += chunk;
      if (output.includes("The demo is complete")) {
        clearTimeout(limit);
        done();
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => fail(new Error(`the demo ended with ${code}\n${output.slice(-4000)}`)));
  });
  await ready;
  return {
    url: `http://127.0.0.1:${port}`,
    log: () => output,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
