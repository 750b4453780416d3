//! How a person says that a file is to be read: its encoding, separator, sheet and first row.

use serde::{Deserialize, Serialize};

use patchbay_shared::{AppError, FieldErrors};

/// Encodings that a file may be read in: the Encoding Standard's name in small letters, and what people know it by.
pub const ENCODINGS: [(&str, &str); 30] = [
    ("utf-8", "Unicode (UTF-8)"),
    ("utf-16le", "Unicode (UTF-16, little endian)"),
    ("utf-16be", "Unicode (UTF-16, big endian)"),
    ("windows-1252", "Western European (Windows)"),
    ("macintosh", "Western European (old Mac)"),
    ("iso-8859-15", "Western European (ISO 8859-15)"),
    ("windows-1250", "Central European (Windows)"),
    ("iso-8859-2", "Central European (ISO 8859-2)"),
    ("windows-1251", "Cyrillic (Windows)"),
    ("koi8-u", "Cyrillic (KOI8)"),
    ("iso-8859-5", "Cyrillic (ISO 8859-5)"),
    ("ibm866", "Cyrillic (DOS)"),
    ("x-mac-cyrillic", "Cyrillic (old Mac)"),
    ("windows-1253", "Greek (Windows)"),
    ("iso-8859-7", "Greek (ISO 8859-7)"),
    ("windows-1254", "Turkish (Windows)"),
    ("windows-1255", "Hebrew (Windows)"),
    ("iso-8859-8", "Hebrew (ISO 8859-8)"),
    ("windows-1256", "Arabic (Windows)"),
    ("iso-8859-6", "Arabic (ISO 8859-6)"),
    ("windows-1257", "Baltic (Windows)"),
    ("iso-8859-4", "Baltic (ISO 8859-4)"),
    ("windows-1258", "Vietnamese (Windows)"),
    ("windows-874", "Thai (Windows)"),
    ("shift_jis", "Japanese (Shift JIS)"),
    ("euc-jp", "Japanese (EUC)"),
    ("euc-kr", "Korean (EUC)"),
    ("gbk", "Chinese, simplified (GBK)"),
    ("gb18030", "Chinese, simplified (GB 18030)"),
    ("big5", "Chinese, traditional (Big5)"),
];

/// Separators that a file may be read with.
pub const DELIMITERS: [(&str, &str); 4] = [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")];

/// The separator in words.
pub fn delimiter_name(delimiter: &str) -> String {
    let known = DELIMITERS.iter().find(|(known, _)| *known == delimiter);
    known.map_or_else(|| format!("“{delimiter}”"), |(_, name)| name.to_lowercase())
}

/// How a file is to be read, when what was found by itself is wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadingForm {
    #[serde(default)]
    pub encoding: String,
    #[serde(default)]
    pub delimiter: String,
    /// Rows above the one with the columns' names.
    #[serde(default)]
    pub above: String,
    /// The place of the workbook's sheet.
    #[serde(default)]
    pub sheet: String,
}

/// The form, checked. Nothing stands for what was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    pub encoding: Option<&'static str>,
    pub delimiter: Option<u8>,
    pub above: Option<u32>,
    pub sheet: Option<usize>,
}

/// The most rows above the one with the columns' names.
pub const MAX_ABOVE: u32 = 50;

impl ReadingForm {
    /// `sheets`: how many the workbook has; 0 for a text file. `delimiter`: the one that was found, which may be none of the list.
    /// Errors: `Invalid` at `encoding`, `delimiter`, `above`, `sheet`.
    pub fn check(&self, sheets: usize, delimiter: &str) -> Result<Reading, AppError> {
        let mut errors = FieldErrors::default();
        let mut reading = Reading::default();
        if sheets > 0 {
            reading.sheet = self.sheet.parse().ok().filter(|sheet| *sheet < sheets);
            if reading.sheet.is_none() {
                errors.add("sheet", "Choose a sheet from the list.");
            }
        } else {
            reading.encoding = ENCODINGS.iter().map(|(name, _)| *name).find(|name| *name == self.encoding);
            if reading.encoding.is_none() {
                errors.add("encoding", "Choose an encoding from the list.");
            }
            let known = DELIMITERS.iter().map(|(known, _)| *known).chain([delimiter]);
            reading.delimiter =
                known.into_iter().find(|known| *known == self.delimiter).and_then(|one| one.bytes().next());
            if reading.delimiter.is_none() {
                errors.add("delimiter", "Choose a separator from the list.");
            }
        }
        if !self.above.trim().is_empty() {
            reading.above = self.above.trim().parse().ok().filter(|above| *above <= MAX_ABOVE);
            if reading.above.is_none() {
                errors.add("above", format!("Write a whole number from 0 to {MAX_ABOVE}."));
            }
        }
        errors.check()?;
        Ok(reading)
    }
}
