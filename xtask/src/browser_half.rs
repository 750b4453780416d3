//! From the wasm file that cargo made to the files that a browser loads.
//!
//! The order matters: first the split (it needs the linker's relocations, which binding drops), then the JavaScript
//! binding of the main part, then shrinking each part by itself.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::{NAME, compress, files};

/// The name under which Leptos preloads the loader of the lazy parts.
const LOADER: &str = "__wasm_split.______________________.js";
/// Which files each lazy part needs; Leptos reads it on the server to preload them.
pub const MANIFEST: &str = "__wasm_split_manifest.json";
/// How many files may hold what several pages share. More of them are more requests for a page, and fewer are bytes that it does not need.
const MOST_CHUNKS: usize = 480;
/// Where everybody lands after signing in. What this page shares with others is in the main part, so that a first visit
/// loads nothing in vain.
pub const FIRST_PAGE: &str = "overview_page";
/// What the wasm may use beyond the first version of the format: what the compiler emits, and every browser of the last
/// years understands.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Smaller, but without inlining: that makes the file shorter by a few per cent and what is sent longer, because repeated
/// code compresses well and inlined code does not.
const SHRINK: [&str; 7] = [
    "-Oz",
    "--always-inline-max-function-size",
    "0",
    "--flexible-inline-max-function-size",
    "0",
    "--one-caller-inline-max-function-size",
    "0",
];

/// Makes the browser's files from what cargo compiled and returns their folder. Repeated without a change it returns the
/// folder of the last time.
pub fn build(release: bool) -> Result<PathBuf> {
    let profile = if release { "wasm-release" } else { "wasm-dev" };
    let compiled = Path::new("target/front/wasm32-unknown-unknown").join(profile).join(format!("{NAME}.wasm"));
    let folder = Path::new("target/front").join(format!("pkg-{profile}"));
    let stamp = Path::new("target/front").join(format!("pkg-{profile}.stamp"));

    check_versions()?;
    let wasm = files::read(&compiled).context("compile the browser half first: scripts/build-site does")?;
    let tool = std::env::current_exe().and_then(fs::read)?;
    let inputs = files::fingerprint([wasm.as_slice(), tool.as_slice()]);
    if fs::read_to_string(&stamp).is_ok_and(|last| last == inputs) {
        return Ok(folder);
    }

    let _ = fs::remove_file(&stamp);
    files::empty(&folder)?;
    let main = split(&wasm, &folder, &compiled)?;
    bind(&main, &folder, release)?;
    if release {
        shrink(&folder)?;
        compress::folder(&folder)?;
    }
    files::write(&stamp, inputs.as_bytes())?;
    Ok(folder)
}

/// The binding's format changes with every version, so tool and crate must be the same.
fn check_versions() -> Result<()> {
    let lock = fs::read_to_string("Cargo.lock").context("run this in the repository's root")?;
    let used = lock
        .split("[[package]]")
        .filter(|package| package.contains("\nname = \"wasm-bindgen\"\n"))
        .find_map(|package| package.split("\nversion = \"").nth(1)?.split('"').next())
        .context("Cargo.lock names no wasm-bindgen")?;
    let ours = wasm_bindgen_shared_version();
    ensure!(
        used == ours,
        "Cargo.lock has wasm-bindgen {used}, the build tool has {ours}: set the same version in xtask/Cargo.toml"
    );
    Ok(())
}

/// Version of the binding library in this tool.
fn wasm_bindgen_shared_version() -> &'static str {
    include_str!("../Cargo.toml")
        .split("wasm-bindgen-cli-support = \"=")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("an unknown version")
}

/// Cuts the lazy parts out of `wasm` into `folder` and returns the file with what is left.
fn split(wasm: &[u8], folder: &Path, compiled: &Path) -> Result<PathBuf> {
    let main = compiled.with_file_name(format!("{NAME}_main.wasm"));
    let main_module = format!("./{NAME}.js");
    let link_name = format!("./{LOADER}");
    let mut options = wasm_split_cli_support::Options::new(wasm);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.link_name = &link_name;
    options.most_chunks = Some(MOST_CHUNKS);
    options.first_split = Some(FIRST_PAGE);
    let parts = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("{error:?}"))
        .context("cannot split the wasm into its lazy parts")?;
    let manifest: std::collections::BTreeMap<_, _> = parts.prefetch_map.into_iter().collect();
    files::write(&folder.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
    Ok(main)
}

/// Writes the JavaScript of the main part, and the part itself under the name that Leptos asks for.
fn bind(main: &Path, folder: &Path, release: bool) -> Result<()> {
    Bindgen::new()
        .input_path(main)
        .out_name(NAME)
        .web(true)?
        .typescript(false)
        .keep_lld_exports(true) // the lazy parts import them
        .demangle(false)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate(folder)
        .context("cannot bind the wasm to JavaScript")?;
    fs::rename(folder.join(format!("{NAME}_bg.wasm")), folder.join(format!("{NAME}.wasm")))?;
    Ok(())
}

/// Runs `wasm-opt` on every part, as many at a time as there are processors.
fn shrink(folder: &Path) -> Result<()> {
    let tool = Path::new("node_modules/.bin/wasm-opt");
    ensure!(tool.exists(), "node_modules/.bin/wasm-opt is missing: run scripts/setup");
    let parts: Vec<PathBuf> =
        files::list(folder)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "wasm")).collect();
    // Largest first, so that no processor starts with it last.
    let mut parts: Vec<(u64, PathBuf)> = parts
        .into_iter()
        .map(|part| Ok((fs::metadata(folder.join(&part))?.len(), folder.join(part))))
        .collect::<Result<_>>()?;
    parts.sort();
    let queue = Mutex::new(parts);
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    while let Some((_, part)) = queue.lock().expect("no worker panics with the queue").pop() {
                        shrink_part(tool, &part)?;
                    }
                    Ok(())
                })
            })
            .collect();
        running.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn shrink_part(tool: &Path, part: &Path) -> Result<()> {
    let smaller = part.with_extension("smaller");
    // It warns about names of a newer kind that it drops anyway; so its words count only when it fails.
    let output = Command::new(tool).args(SHRINK).args(WASM_FEATURES).arg(part).arg("-o").arg(&smaller).output()?;
    if !output.status.success() {
        bail!("wasm-opt failed on {}:\n{}", part.display(), String::from_utf8_lossy(&output.stderr));
    }
    fs::rename(&smaller, part)?;
    Ok(())
}
