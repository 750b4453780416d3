//! Skills as an archive. The same skills give the same bytes, whenever they are packed.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::head;
use crate::model::{FileKind, SkillText};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

fn files(skill: &SkillText) -> Vec<(String, String)> {
    let mut files = vec![(format!("{}/SKILL.md", skill.name), head::write(skill))];
    for (kind, folder) in [(FileKind::Reference, "references"), (FileKind::Script, "scripts")] {
        let of = skill.files(kind).iter();
        files.extend(of.map(|file| (format!("{}/{folder}/{}", skill.name, file.name), file.content.clone())));
    }
    files
}

pub(crate) fn zip(skills: &[SkillText]) -> Result<Vec<u8>, AppError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in skills.iter().flat_map(files) {
        writer.start_file(path, SimpleFileOptions::default()).map_err(internal)?;
        writer.write_all(text.as_bytes()).map_err(internal)?;
    }
    Ok(writer.finish().map_err(internal)?.into_inner())
}

pub(crate) fn tar_gz(skills: &[SkillText]) -> Result<Vec<u8>, AppError> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, text) in skills.iter().flat_map(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).map_err(internal)?;
    }
    builder.into_inner().and_then(GzEncoder::finish).map_err(internal)
}
