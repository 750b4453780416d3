//! Compressed copies beside the files, made once with the best settings, so that the server never compresses them itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::files;

/// Kinds of file that get smaller. Fonts (woff2) and pictures are compressed already.
const KINDS: [&str; 9] = ["wasm", "js", "css", "svg", "json", "txt", "html", "webmanifest", "xml"];
/// Below this a compressed copy saves nothing: one network packet either way.
const SMALLEST: u64 = 512;

/// Writes `.br` and `.gz` beside every file below `folder` that gets smaller.
pub fn folder(folder: &Path) -> Result<()> {
    files(files::list(folder)?.iter().map(|path| folder.join(path)))
}

/// Writes `.br` and `.gz` beside each of the files that gets smaller. Node does the work: see compress.mjs.
pub fn files(paths: impl IntoIterator<Item = PathBuf>) -> Result<()> {
    let mut lines = String::new();
    for path in paths {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if KINDS.contains(&kind) && std::fs::metadata(&path)?.len() >= SMALLEST {
            writeln!(lines, "{}", path.display())?;
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mut node = Command::new("node")
        .arg("xtask/compress.mjs")
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot run node, which compresses the files")?;
    // Dropped at the end of this line: that is how Node learns that no more files come.
    node.stdin.take().context("node has no input")?.write_all(lines.as_bytes())?;
    ensure!(node.wait()?.success(), "the files could not be compressed");
    Ok(())
}

/// `path` with one more ending: `app.css` and `br` give `app.css.br`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
