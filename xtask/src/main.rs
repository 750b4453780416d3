//! The last steps of a build, after cargo: split the wasm into one file per lazy page, bind it to JavaScript, shrink it,
//! compile the styles, and lay everything out as the folder that the server hands out.
//!
//! ```text
//! xtask build-site  [--release] [--site DIR]    lay out the site from the compiled browser half
//! xtask size-budget [--site DIR]                fail when a first visit loads more than it may
//! ```
//!
//! Runs in the repository's root. `scripts/build-site` compiles the browser half first and then calls this.

mod browser_half;
mod compress;
mod files;
mod site;
mod size_budget;
mod styles;

use std::path::PathBuf;
use std::process::ExitCode;

/// Name of the product's crate; Leptos asks the browser for files of this name.
pub const NAME: &str = "patchbay";

/// Where a site is built unless `--site` says otherwise.
const SITE: &str = "target/site";

const USAGE: &str = "usage: xtask build-site [--release] [--site DIR]\n       xtask size-budget [--site DIR]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let mut arguments = arguments.into_iter();
    let command = arguments.next().unwrap_or_default();
    let mut release = false;
    let mut site = PathBuf::from(SITE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--release" => release = true,
            "--site" => {
                site = arguments.next().map(PathBuf::from).ok_or_else(|| anyhow::anyhow!("--site needs a folder"))?
            }
            other => anyhow::bail!("unknown option {other}\n{USAGE}"),
        }
    }
    match command.as_str() {
        "build-site" => site::build(release, &site),
        "size-budget" => size_budget::check(&site),
        _ => anyhow::bail!("{USAGE}"),
    }
}
