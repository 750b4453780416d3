//! [in the child process] Reads a file from outside and says what stands where in it. `patchbay extract` is this and nothing else: it
//! has no database, no keys and no network, and a limit on memory and time (`run`).

mod csv_rows;
mod docx;
mod html;
mod language;
mod markdown;
mod passages;
mod pdf;
mod plain;
mod run;
mod sheets;
mod unzip;

#[cfg(test)]
mod tests;

use crate::model::Kind;

pub use language::{searchable, spoken};
pub use run::{Line, main};

/// All text of a file together. A book has one megabyte.
const MAX_TEXT: usize = 24 * 1024 * 1024;
/// Paragraphs and rows.
const MAX_BLOCKS: usize = 400_000;

/// Why a file cannot be read: a sentence for the person who uploaded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Nothing,
    Pictures,
    Locked,
    Damaged,
    TooMuchText,
    TooManyPassages,
    Unpacks,
    Kind,
}

impl Refusal {
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::Nothing => "The file has no text. Check that it is the right one, then replace it.",
            Refusal::Pictures => {
                "Its pages are pictures, and no text was found. Run text recognition (OCR) over it, then replace the file."
            }
            Refusal::Locked => "The file is protected with a password. Save it without one, then replace the file.",
            Refusal::Damaged => "The file is damaged and cannot be read. Open it, save it anew, then replace the file.",
            Refusal::TooMuchText => {
                "The file has more than 24 MB of text. Split it into several files and upload those."
            }
            Refusal::TooManyPassages => {
                "The file makes more than 20,000 passages. Split it into several files and upload those."
            }
            Refusal::Unpacks => {
                "The file unpacks to far more than its size. Save it anew without embedded files, then replace it."
            }
            Refusal::Kind => UNKNOWN,
        }
    }
}

const UNKNOWN: &str =
    "This kind of file cannot be read. Save it as PDF, Word (.docx), Excel (.xlsx), HTML, Markdown, text or CSV.";

/// Where a block stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    Page(u32),
    Heading(String),
    /// A line of a text.
    Line(u32),
    /// A row of a table, of a named sheet if there are several.
    Row(String, u32),
}

/// A paragraph or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub at: At,
    pub text: String,
}

/// What stands in a file, from its beginning to its end.
#[derive(Debug, Default)]
pub struct Blocks {
    blocks: Vec<Block>,
    bytes: usize,
    /// Pages or rows, where the file has them.
    units: Option<u32>,
}

impl Blocks {
    /// One more block. Empty ones are left out.
    fn push(&mut self, at: At, text: &str) -> Result<(), Refusal> {
        let text = tidy(text);
        if text.is_empty() {
            return Ok(());
        }
        self.bytes += text.len();
        if self.bytes > MAX_TEXT || self.blocks.len() >= MAX_BLOCKS {
            return Err(Refusal::TooMuchText);
        }
        self.blocks.push(Block { at, text });
        Ok(())
    }
}

/// Text on one line, without what cannot be stored or shown, and without the marks that search puts around words.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_space = letter.is_whitespace() || letter.is_control();
        let is_mark = matches!(letter, '\u{ad}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffd}' | '\u{fdd0}'..='\u{fdef}')
            || (letter as u32) & 0xfffe == 0xfffe;
        if is_mark {
            continue;
        }
        if !is_space {
            out.push(letter);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What stands in a file. `name` decides only between kinds of text.
pub fn read(bytes: &[u8], name: &str) -> Result<(Kind, Blocks), Refusal> {
    let mut parts = crate::model::kind::Parts::default();
    let head = &bytes[..bytes.len().min(crate::model::kind::HEAD)];
    if head.starts_with(b"PK\x03\x04") {
        parts = unzip::parts(bytes)?;
    }
    let kind = Kind::of(head, parts, name).map_err(|_| Refusal::Kind)?;
    let blocks = match kind {
        Kind::Pdf => pdf::read(bytes)?,
        Kind::Docx => docx::read(bytes)?,
        Kind::Xlsx => sheets::read(bytes)?,
        Kind::Html => html::read(&plain::decode(bytes))?,
        Kind::Markdown => markdown::read(&plain::decode(bytes))?,
        Kind::Text => plain::read(&plain::decode(bytes))?,
        Kind::Csv => csv_rows::read(&plain::decode(bytes))?,
    };
    if blocks.blocks.is_empty() {
        return Err(if kind == Kind::Pdf { Refusal::Pictures } else { Refusal::Nothing });
    }
    Ok((kind, blocks))
}
