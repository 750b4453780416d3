//! Texts: their encoding, and their paragraphs.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use super::{At, Blocks, Refusal};

/// The text of the bytes, in whatever encoding they are: as their mark says, UTF-8 if they are that, or the likeliest of the old ones.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(1024 * 1024)], true);
    detector.guess(None, Utf8Detection::Allow).decode_without_bom_handling(bytes).0
}

/// Paragraphs: what stands between empty lines.
pub fn read(text: &str) -> Result<Blocks, Refusal> {
    let mut out = Blocks::default();
    let (mut paragraph, mut begins) = (String::new(), 1);
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            out.push(At::Line(begins), &paragraph)?;
            paragraph.clear();
            continue;
        }
        if paragraph.is_empty() {
            begins = u32::try_from(number + 1).unwrap_or(u32::MAX);
        }
        paragraph += line;
        paragraph.push('\n');
    }
    out.push(At::Line(begins), &paragraph)?;
    Ok(out)
}
