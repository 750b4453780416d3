//! The pieces of a check, kept on the disk for the import: a first line that says which form this is, the names of the variables, then
//! piece by piece. Names stand there once, not with each row: the file must not become many times the size of the one that was uploaded.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Error, ErrorKind, Read, Result, Write};
use std::path::Path;

use super::pieces::Piece;

/// The first line. It gets another number with each change of `Piece` and of what is in it, so that an import never takes for its rows
/// what another version of the program kept.
const FORM: &[u8] = b"Patchbay rows 1\n";
/// What rows may take on the disk: so many times the size of their file, and this much more. A row that is refused comes with its reason.
const TIMES: u64 = 4;
const MORE: u64 = 64 * 1024 * 1024;

/// Bytes that the rows of a file of this size may take.
pub(super) fn most(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(TIMES).saturating_add(MORE)
}

/// Keeps pieces.
pub(super) struct Kept {
    file: BufWriter<File>,
    size: u64,
    most: u64,
}

impl Kept {
    /// `keys`: the names of the variables. `most`: bytes that all of it may take.
    pub fn create(path: &Path, keys: &[String], most: u64) -> Result<Self> {
        let file = BufWriter::with_capacity(256 * 1024, File::create(path)?);
        let mut kept = Self { file, size: 0, most };
        kept.write(FORM)?;
        kept.write(&rmp_serde::to_vec(keys).map_err(Error::other)?)?;
        Ok(kept)
    }

    /// Gives the bytes that all of it takes by now. Errors: `QuotaExceeded`, when that is more than may be.
    pub fn keep(&mut self, piece: &Piece) -> Result<u64> {
        self.write(&rmp_serde::to_vec(piece).map_err(Error::other)?)?;
        Ok(self.size)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(Error::new(ErrorKind::QuotaExceeded, "the rows take many times the size of their file"));
        }
        self.file.write_all(bytes)
    }

    /// Safe on the disk after this.
    pub fn finish(self) -> Result<()> {
        self.file.into_inner().map_err(|error| error.into_error())?.sync_all()
    }
}

/// What was kept, piece by piece.
pub(crate) struct Rows {
    file: BufReader<File>,
    /// The names of the variables.
    pub keys: Vec<String>,
}

impl Rows {
    /// None: another version of the program kept it.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
        let mut form = Vec::new();
        file.by_ref().take(FORM.len() as u64).read_to_end(&mut form)?;
        if form != FORM {
            return Ok(None);
        }
        let keys = rmp_serde::from_read(&mut file).map_err(Error::other)?;
        Ok(Some(Self { file, keys }))
    }

    /// None at the end.
    pub fn next_piece(&mut self) -> Result<Option<Piece>> {
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        rmp_serde::from_read(&mut self.file).map(Some).map_err(Error::other)
    }
}

#[cfg(test)]
mod tests;
