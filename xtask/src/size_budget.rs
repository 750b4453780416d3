//! What a first visit may load.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::browser_half::{FIRST_PAGE, MANIFEST};
use crate::{NAME, compress, files, site};

/// Limits in bytes, compressed. The first visit is to the dashboard; every other page adds its own parts to that.
const STYLES: u64 = 30_000;
const SCRIPTS: u64 = 350_000;
const PAGE: u64 = 250_000;

/// Bytes of a file, or of several.
#[derive(Clone, Copy, Default)]
struct Size {
    raw: u64,
    compressed: u64,
}

/// Prints what a first visit loads from a release build in `site`, and what each page adds.
///
/// # Errors
/// When the style sheet, the scripts of a first visit, or what one page adds exceed their limit.
pub fn check(site: &Path) -> Result<()> {
    let folder = site.join(site::current(site)?);
    ensure!(folder.join(format!("{NAME}.wasm.br")).exists(), "this is not a release build: build-site --release");

    let styles = size(&folder.join(format!("{NAME}.css")))?;
    let main = size(&folder.join(format!("{NAME}.wasm")))?;
    let mut scripts = Size::default();
    for path in files::list(&folder)?.iter().filter(|path| path.extension().is_some_and(|kind| kind == "js")) {
        scripts.add(size(&folder.join(path))?);
    }
    let pages = pages(&folder)?;
    let first_name = FIRST_PAGE.trim_matches('_');
    let (_, first) = pages.iter().find(|page| page.0 == first_name).context("the first page has no part of its own")?;
    let mut total = main;
    total.add(scripts);
    total.add(*first);

    println!("{:<44} {:>12} {:>12} {:>12}", "first visit", "bytes", "brotli", "at most");
    row("style sheet", styles, Some(STYLES));
    row("main wasm", main, None);
    row("scripts", scripts, None);
    row(first_name, *first, None);
    row("wasm and scripts of the first visit", total, Some(SCRIPTS));
    println!("\n{:<44} {:>12} {:>12} {:>12}", "what a page adds", "bytes", "brotli", "at most");
    for (name, size) in pages.iter().rev() {
        row(name, *size, Some(PAGE));
    }

    ensure!(styles.compressed <= STYLES, "the style sheet is too large");
    ensure!(total.compressed <= SCRIPTS, "a first visit loads too much wasm and script");
    for (name, size) in &pages {
        ensure!(size.compressed <= PAGE, "{name} is too large");
    }
    Ok(())
}

/// Every lazy part with the size of all files it needs, lightest first.
fn pages(folder: &Path) -> Result<Vec<(String, Size)>> {
    let manifest: BTreeMap<String, Vec<String>> = serde_json::from_slice(&files::read(&folder.join(MANIFEST))?)?;
    let mut pages = Vec::new();
    for (name, parts) in manifest {
        let mut sum = Size::default();
        for part in parts {
            sum.add(size(&folder.join(format!("{part}.wasm")))?);
        }
        // The name ends in a number that tells two functions of the same name apart.
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_matches('_').to_owned();
        pages.push((name, sum));
    }
    pages.sort_by_key(|page| page.1.compressed);
    Ok(pages)
}

fn size(path: &Path) -> Result<Size> {
    let bytes = |path: &Path| std::fs::metadata(path).map(|data| data.len());
    let raw = bytes(path).with_context(|| format!("{} is missing", path.display()))?;
    Ok(Size { raw, compressed: bytes(&compress::beside(path, "br")).unwrap_or(raw) })
}

impl Size {
    fn add(&mut self, other: Self) {
        self.raw += other.raw;
        self.compressed += other.compressed;
    }
}

fn row(name: &str, size: Size, limit: Option<u64>) {
    let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
    println!("{name:<44} {:>12} {:>12} {limit:>12}", size.raw, size.compressed);
}
