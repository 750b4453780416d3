//! What a file is, by its content.

use patchbay_shared::words;

words! {
    /// What a file is. Its content says so, and its name only where contents look alike.
    pub Kind: "text" {
        Pdf = "application/pdf", "PDF", Mute;
        Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX", Mute;
        Xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX", Mute;
        Html = "text/html", "HTML", Mute;
        Markdown = "text/markdown", "MD", Mute;
        Text = "text/plain", "TXT", Mute;
        Csv = "text/csv", "CSV", Mute;
    }
}

words! {
    /// Why an upload, or a file in it, was not taken.
    pub UploadProblem: "text" {
        NoFile = "no_file", "Choose one or more files, then upload.", Bad;
        Empty = "empty", "The file is empty. Choose another one.", Bad;
        Large = "large", "The file is larger than 50 MB. Split it, or save it without pictures, and upload it again.", Bad;
        Kind = "kind", "This kind of file cannot be read. Save it as PDF, Word (.docx), Excel (.xlsx), HTML, Markdown, text or CSV.", Bad;
        OldOffice = "old_office", "This is an old Word or Excel file. Save it as .docx or .xlsx and upload it again.", Bad;
        Broken = "broken", "The upload broke off. Check the connection and try again.", Bad;
        Many = "many", "The collection is full: it holds 2,000 files. Make another collection, or delete files that nobody needs.", Bad;
        ClientFull = "client_full", "The files of this client take 2 GB, which is the most. Delete files that nobody needs.", Bad;
        AgencyFull = "agency_full", "The files of your agency take 10 GB, which is the most. Delete files that nobody needs.", Bad;
        Archived = "archived", "The client of this collection is archived. Restore the client first.", Bad;
        Busy = "busy", "Too many files are being uploaded at once. Wait for the others, then try again.", Bad;
    }
}

/// The first bytes of a file that decide what it is.
pub const HEAD: usize = 8 * 1024;

impl Kind {
    /// What a file is: by its first bytes, by the parts that an archive names (`word/` or `xl/`), and, where texts look alike, by the end
    /// of its name. Errors: what cannot be read here, and what to do instead.
    pub fn of(head: &[u8], parts: Parts, name: &str) -> Result<Self, UploadProblem> {
        if head.is_empty() {
            return Err(UploadProblem::Empty);
        }
        // Writers put things before the mark, and readers look for it in the first kilobyte.
        let start = &head[..head.len().min(1024)];
        if start.windows(5).any(|bytes| bytes == b"%PDF-") {
            return Ok(Kind::Pdf);
        }
        if head.starts_with(b"PK\x03\x04") {
            return match (parts.word, parts.sheets) {
                (true, false) => Ok(Kind::Docx),
                (false, true) => Ok(Kind::Xlsx),
                // A document with a workbook inside, or the other way round.
                (true, true) if name.to_lowercase().ends_with(".xlsx") => Ok(Kind::Xlsx),
                (true, true) => Ok(Kind::Docx),
                (false, false) => Err(UploadProblem::Kind),
            };
        }
        if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(UploadProblem::OldOffice);
        }
        let is_wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
        // Text has no such bytes in any encoding but the wide ones.
        let strange = head.iter().filter(|byte| matches!(**byte, 0..=8 | 14..=26 | 28..=31)).count();
        if !is_wide && (head.contains(&0) || strange * 50 > head.len() || is_other_text(head)) {
            return Err(UploadProblem::Kind);
        }
        Ok(Self::of_text(head, name))
    }

    fn of_text(head: &[u8], name: &str) -> Self {
        let start: Vec<u8> = head.iter().filter(|byte| **byte != 0).take(2_000).map(u8::to_ascii_lowercase).collect();
        let holds = |mark: &[u8]| start.windows(mark.len()).any(|bytes| bytes == mark);
        let first = start.iter().position(|byte| !byte.is_ascii_whitespace() && byte.is_ascii());
        let is_tag = first.is_some_and(|at| start[at] == b'<');
        let end = name.rsplit_once('.').map(|(_, end)| end.to_lowercase()).unwrap_or_default();
        if is_tag && [&b"<!doctype html"[..], b"<html", b"<head", b"<body"].iter().any(|mark| holds(mark)) {
            return Kind::Html;
        }
        match end.as_str() {
            "htm" | "html" | "xhtml" if is_tag => Kind::Html,
            "md" | "markdown" | "mdx" => Kind::Markdown,
            "csv" | "tsv" => Kind::Csv,
            _ => Kind::Text,
        }
    }
}

/// Texts that are something else: rich text, and PostScript.
fn is_other_text(head: &[u8]) -> bool {
    head.starts_with(b"{\\rtf") || head.starts_with(b"%!PS")
}

/// What an archive's directory names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    pub word: bool,
    pub sheets: bool,
}

impl Parts {
    /// Looks for the names in a stretch of the file: they are not compressed.
    pub fn look(&mut self, bytes: &[u8]) {
        let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|part| part == mark);
        self.word = self.word || holds(b"word/document.xml");
        self.sheets = self.sheets || holds(b"xl/workbook.xml");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_and_not_the_name() {
        let kind = |head: &[u8], name: &str| Kind::of(head, Parts::default(), name);
        assert_eq!(kind(b"%PDF-1.7 ...", "prices.txt"), Ok(Kind::Pdf));
        assert_eq!(kind(b"  <!DOCTYPE html><html>", "prices.pdf"), Ok(Kind::Html));
        assert_eq!(kind(b"# Prices", "prices.md"), Ok(Kind::Markdown));
        assert_eq!(kind(b"name;price\n", "prices.CSV"), Ok(Kind::Csv));
        assert_eq!(kind("Grüezi".as_bytes(), "noname"), Ok(Kind::Text));
        assert_eq!(kind(&[0xff, 0xfe, b'a', 0, b'b', 0], "wide.txt"), Ok(Kind::Text));
        assert_eq!(kind(b"", "prices.pdf"), Err(UploadProblem::Empty));
        assert_eq!(kind(b"\x7fELF\x02\x01\x01\0", "prices.pdf"), Err(UploadProblem::Kind));
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0", "prices.md"), Err(UploadProblem::Kind));
        assert_eq!(kind(b"{\\rtf1", "prices.txt"), Err(UploadProblem::Kind));
        assert_eq!(kind(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1], "old.doc"), Err(UploadProblem::OldOffice));
        assert_eq!(kind(b"PK\x03\x04 something", "prices.docx"), Err(UploadProblem::Kind));
        let mut parts = Parts::default();
        parts.look(b"PK\x03\x04....word/document.xml");
        assert_eq!(Kind::of(b"PK\x03\x04", parts, "prices.zip"), Ok(Kind::Docx));
    }
}
