//! The folder that the server hands out:
//!
//! ```text
//! site/.pkg                     one line: pkg/0123456789abcdef, the folder of the current build
//! site/pkg/0123456789abcdef/    browser half and style sheet, named by their contents: a browser may keep them for ever
//! site/…                        everything in public/
//! ```
//!
//! All of a build's files share one folder named by their contents, and name each other relative to it. So a page always
//! loads parts that belong together, and a page from the build before still finds its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::{NAME, browser_half, compress, files, styles};

/// Builds that stay in the folder, so that a page opened before the last ones can still load its lazy parts.
const KEPT_BUILDS: usize = 3;

/// Lays out `site` from the compiled browser half, the styles and `public/`.
pub fn build(release: bool, site: &Path) -> Result<()> {
    let browser_half = browser_half::build(release)?;
    let style_sheet = styles::compile(release)?;
    let pkg = place_build(site, &browser_half, &style_sheet, release)?;
    copy_public(site, release)?;
    files::replace(&site.join(".pkg"), format!("{pkg}\n").as_bytes())?;
    remove_old_builds(site, &pkg)?;
    println!("{}: {} files in {pkg}", site.display(), files::list(&site.join(&pkg))?.len());
    Ok(())
}

/// The folder of the current build inside `site`, such as `pkg/0123456789abcdef`.
pub fn current(site: &Path) -> Result<String> {
    let path = site.join(".pkg");
    let line = fs::read_to_string(&path).with_context(|| format!("no site in {}: build it first", site.display()))?;
    Ok(line.trim().to_owned())
}

/// Copies a build into the folder named by its contents, and returns that folder's name.
fn place_build(site: &Path, browser_half: &Path, style_sheet: &[u8], release: bool) -> Result<String> {
    let mut contents: Vec<(PathBuf, Vec<u8>)> = files::list(browser_half)?
        .into_iter()
        .map(|path| Ok((path.clone(), files::read(&browser_half.join(path))?)))
        .collect::<Result<_>>()?;
    contents.push((PathBuf::from(format!("{NAME}.css")), style_sheet.to_vec()));
    let parts = contents.iter().flat_map(|(path, bytes)| [path.as_os_str().as_encoded_bytes(), bytes]);
    let pkg = format!("pkg/{}", files::fingerprint(parts));

    let folder = site.join(&pkg);
    if !folder.exists() {
        // Filled aside and renamed: a running server never sees half a build.
        let aside = site.join("pkg/.next");
        files::empty(&aside)?;
        for (path, bytes) in &contents {
            files::write(&aside.join(path), bytes)?;
        }
        if release {
            compress::files([aside.join(format!("{NAME}.css"))])?;
        }
        fs::rename(&aside, &folder)?;
    }
    Ok(pkg)
}

/// Makes the rest of `site` a copy of `public/`, and compresses it in a release.
fn copy_public(site: &Path, release: bool) -> Result<()> {
    let public = Path::new("public");
    let mut wanted = BTreeSet::new();
    let mut copies = Vec::new();
    for path in files::list(public)? {
        if path.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        let copy = site.join(&path);
        files::write(&copy, &files::read(&public.join(&path))?)?;
        if release {
            copies.push(copy);
            wanted.extend(["br", "gz"].map(|ending| compress::beside(&path, ending)));
        }
        wanted.insert(path);
    }
    compress::files(copies)?;
    for path in files::list(site)? {
        if !wanted.contains(&path) && !path.starts_with("pkg") && path != Path::new(".pkg") {
            fs::remove_file(site.join(path))?;
        }
    }
    Ok(())
}

/// Keeps the current build and the newest others.
fn remove_old_builds(site: &Path, current: &str) -> Result<()> {
    let mut others: Vec<(SystemTime, PathBuf)> = fs::read_dir(site.join("pkg"))?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.metadata()?.modified()?, entry.path()))
        })
        .collect::<Result<_>>()?;
    others.retain(|(_, path)| *path != site.join(current));
    others.sort();
    let removed = others.len().saturating_sub(KEPT_BUILDS - 1);
    for (_, path) in others.into_iter().take(removed) {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}
