//! Compressed copies beside the files, made once with the best settings, so that the server never compresses them itself.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

use crate::files;

/// Kinds of file that get smaller. Fonts (woff2) and pictures are compressed already.
const KINDS: [&str; 9] = ["wasm", "js", "css", "svg", "json", "txt", "html", "webmanifest", "xml"];
/// Below this a compressed copy saves nothing: one network packet either way.
const SMALLEST: usize = 512;

/// Writes `.br` and `.gz` beside every file below `folder` that gets smaller.
pub fn folder(folder: &Path) -> Result<()> {
    for path in files::list(folder)? {
        file(&folder.join(path))?;
    }
    Ok(())
}

/// Writes `.br` and `.gz` beside one file, if that makes it smaller.
pub fn file(path: &Path) -> Result<()> {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    if !KINDS.contains(&kind) {
        return Ok(());
    }
    let bytes = files::read(path)?;
    if bytes.len() < SMALLEST {
        return Ok(());
    }
    for (ending, smaller) in [("br", brotli(&bytes)?), ("gz", gzip(&bytes)?)] {
        if smaller.len() < bytes.len() {
            files::write(&beside(path, ending), &smaller)?;
        }
    }
    Ok(())
}

/// `path` with one more ending: `app.css` and `br` give `app.css.br`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let settings =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
    let mut smaller = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut smaller, &settings)?;
    Ok(smaller)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
