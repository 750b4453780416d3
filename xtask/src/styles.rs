//! The style sheet.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Compiles `style/main.scss`.
pub fn compile(release: bool) -> Result<Vec<u8>> {
    let tool = Path::new("node_modules/.bin/sass");
    ensure!(tool.exists(), "node_modules/.bin/sass is missing: run scripts/setup");
    let output = Command::new(tool)
        .args(["--no-source-map", "--quiet-deps", "--style", if release { "compressed" } else { "expanded" }])
        .arg("style/main.scss")
        .output()
        .context("cannot run sass")?;
    ensure!(output.status.success(), "the styles do not compile:\n{}", String::from_utf8_lossy(&output.stderr));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
