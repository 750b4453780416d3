//! The files of an archive, with limits on what they unpack to and on where their paths lead.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::Refused;
use crate::model::ArchiveProblem;

/// What all files of an archive may unpack to, and how many they may be.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;
const MOST_FILES: usize = 10_000;
/// What a tar archive has beside the files: a block or two of 512 bytes for each.
const TAR_OVERHEAD: u64 = 16 * 1024 * 1024;
const LONGEST_PATH: usize = 500;

pub(super) struct Packed {
    pub path: String,
    pub bytes: Vec<u8>,
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Packed>, Refused> {
    if bytes.starts_with(b"PK") {
        unzip(bytes)
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        untar(bytes)
    } else if bytes.starts_with(b"---") || bytes.starts_with("\u{feff}---".as_bytes()) {
        Ok(vec![Packed { path: "SKILL.md".to_owned(), bytes: bytes.to_vec() }])
    } else if bytes.is_empty() {
        Err(Refused::new(ArchiveProblem::NoFile, ""))
    } else {
        Err(Refused::new(ArchiveProblem::Kind, ""))
    }
}

pub(super) fn is_archive_name(name: &str) -> bool {
    ["zip", "tar", "gz", "tgz", "7z", "rar", "bz2", "xz", "zst", "jar", "skill"]
        .iter()
        .any(|end| name.ends_with(&format!(".{end}")))
}

fn unzip(bytes: &[u8]) -> Result<Vec<Packed>, Refused> {
    let refused = |problem| Refused::new(problem, "");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| refused(ArchiveProblem::Damaged))?;
    if archive.len() > MOST_FILES {
        return Err(refused(ArchiveProblem::Unpacks));
    }
    if archive.has_duplicate_names() {
        return Err(refused(ArchiveProblem::Doubled));
    }
    if archive.has_overlapping_entries().unwrap_or(true) {
        return Err(refused(ArchiveProblem::Damaged));
    }
    let (mut files, mut left) = (Vec::new(), MAX_UNPACKED);
    for at in 0..archive.len() {
        let part = archive.by_index_raw(at).map_err(|_| refused(ArchiveProblem::Damaged))?;
        let path = checked_path(part.name_raw())?;
        // The upper bits of a mode say what a file is; no bits: it was packed by a system that has none.
        let kind = part.unix_mode().unwrap_or_default() & 0o170_000;
        if part.encrypted() {
            return Err(Refused::new(ArchiveProblem::Locked, path));
        }
        if part.is_symlink() || ![0, 0o100_000, 0o040_000].contains(&kind) {
            return Err(Refused::new(ArchiveProblem::Link, path));
        }
        if part.is_dir() || is_of_a_system(&path) {
            continue;
        }
        drop(part);
        let part = archive.by_index(at).map_err(|error| match error {
            ZipError::UnsupportedArchive(_) => Refused::new(ArchiveProblem::Method, &path),
            _ => Refused::new(ArchiveProblem::Damaged, &path),
        })?;
        files.push(Packed { bytes: whole(part, &mut left, &path)?, path });
    }
    Ok(files)
}

fn untar(bytes: &[u8]) -> Result<Vec<Packed>, Refused> {
    let most = MAX_UNPACKED + TAR_OVERHEAD;
    let damaged = |error: std::io::Error| match error.to_string().contains(UNPACKS) {
        true => Refused::new(ArchiveProblem::Unpacks, ""),
        false => Refused::new(ArchiveProblem::Damaged, ""),
    };
    let mut archive = tar::Archive::new(Counted { inner: MultiGzDecoder::new(bytes), left: most });
    let (mut files, mut left, mut seen) = (Vec::new(), MAX_UNPACKED, 0);
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        seen += 1;
        if seen > MOST_FILES {
            return Err(Refused::new(ArchiveProblem::Unpacks, ""));
        }
        let kind = entry.header().entry_type();
        // Words about the whole archive, as git writes them.
        if kind.is_pax_global_extensions() {
            continue;
        }
        let path = checked_path(&entry.path_bytes())?;
        if kind.is_dir() {
            continue;
        }
        if !kind.is_file() && !kind.is_contiguous() {
            return Err(Refused::new(ArchiveProblem::Link, path));
        }
        if is_of_a_system(&path) {
            continue;
        }
        files.push(Packed { bytes: whole(entry, &mut left, &path)?, path });
    }
    if seen == 0 {
        return Err(Refused::new(ArchiveProblem::Kind, ""));
    }
    Ok(files)
}

/// A file to its end, as long as all of them together stay below the limit.
fn whole(part: impl Read, left: &mut u64, path: &str) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let read = part.take(*left + 1).read_to_end(&mut bytes).map_err(|error| {
        let is_long = error.to_string().contains(UNPACKS);
        Refused::new(if is_long { ArchiveProblem::Unpacks } else { ArchiveProblem::Damaged }, path)
    })?;
    *left = left.checked_sub(read as u64).ok_or_else(|| Refused::new(ArchiveProblem::Unpacks, path))?;
    Ok(bytes)
}

/// A path below the archive's root, without `.`. Refused is what a system could read as a path elsewhere.
fn checked_path(raw: &[u8]) -> Result<String, Refused> {
    let shown = String::from_utf8_lossy(raw);
    let refused = || Refused::new(ArchiveProblem::Path, &shown);
    let path = str::from_utf8(raw).map_err(|_| refused())?;
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    if path.is_empty() || path.len() > LONGEST_PATH || path.starts_with('/') || is_drive {
        return Err(refused());
    }
    if path.contains('\\') || patchbay_shared::text::fault("path", path).is_some() {
        return Err(refused());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            "" | ".." => return Err(refused()),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// What systems put beside files without being asked.
fn is_of_a_system(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("__MACOSX/") || name.starts_with("._") || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

/// Reads so much and no more.
struct Counted<R> {
    inner: R,
    left: u64,
}

const UNPACKS: &str = "unpacks to too much";

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| std::io::Error::other(UNPACKS))?;
        Ok(read)
    }
}
