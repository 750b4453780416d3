use std::fs::File;
use std::io::Read;

use encoding_rs::{CoderResult, Decoder, Encoding};

/// Reads a file in any encoding as UTF-8. Bytes that the encoding does not know come out as `U+FFFD`.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    start: usize,
    end: usize,
    at_end: bool,
    is_finished: bool,
    /// Bytes of the file read so far.
    pub bytes_read: u64,
}

const BLOCK: usize = 64 * 1024;

/// A few bytes as text.
pub(crate) fn text(bytes: &[u8], encoding: &str) -> String {
    let encoding = Encoding::for_label(encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

impl Decoded<File> {
    /// `encoding`: a name that the Encoding Standard knows; anything else is read as UTF-8.
    pub fn open(path: &std::path::Path, encoding: &str) -> std::io::Result<Self> {
        Ok(Self::new(File::open(path)?, encoding))
    }
}

impl<R: Read> Decoded<R> {
    pub fn new(inner: R, encoding: &str) -> Self {
        let encoding = Encoding::for_label(encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BLOCK].into_boxed_slice(),
            start: 0,
            end: 0,
            at_end: false,
            is_finished: false,
            bytes_read: 0,
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    /// `out` must hold at least a few characters. 0 only at the end.
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if self.is_finished {
                return Ok(0);
            }
            if self.start == self.end && !self.at_end {
                (self.start, self.end) = (0, self.inner.read(&mut self.raw)?);
                self.bytes_read += self.end as u64;
                self.at_end = self.end == 0;
            }
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(&self.raw[self.start..self.end], out, self.at_end);
            self.start += read;
            self.is_finished = self.at_end && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(std::io::Error::other("the buffer is too small to hold a character"));
            }
        }
    }
}

/// Watches bytes go by and tells UTF-8 from the old eight-bit encodings. A few broken bytes do not make a file Latin-1.
#[derive(Debug, Default, Clone)]
pub struct Utf8Count {
    carry: Vec<u8>,
    well_formed: u64,
    broken: u64,
}

impl Utf8Count {
    pub(crate) fn watch(&mut self, bytes: &[u8]) {
        if bytes.is_ascii() && self.carry.is_empty() {
            return;
        }
        self.carry.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.carry);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.well_formed += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count() as u64;
            if chunk.invalid().is_empty() {
                continue;
            }
            // The start of a character whose rest comes with the next bytes.
            if chunks.peek().is_none()
                && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none())
            {
                self.carry = chunk.invalid().to_vec();
            } else {
                self.broken += 1;
            }
        }
    }

    /// Call when no more bytes come.
    pub(crate) fn is_utf8(&self) -> bool {
        let broken = self.broken + u64::from(!self.carry.is_empty());
        broken == 0 || self.well_formed > broken * 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: &str) -> String {
        let mut text = Vec::new();
        let mut reader = Decoded::new(bytes, encoding);
        let mut block = [0; 64];
        loop {
            let read = reader.read(&mut block).unwrap();
            if read == 0 {
                return String::from_utf8(text).unwrap();
            }
            text.extend_from_slice(&block[..read]);
        }
    }

    #[test]
    fn encodings() {
        assert_eq!(read("\u{feff}Zoë".as_bytes(), "utf-8"), "Zoë");
        assert_eq!(read(b"Zo\xeb", "windows-1252"), "Zoë");
        let utf16: Vec<u8> = "\u{feff}आशा".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf16, "utf-16le"), "आशा");
        assert_eq!(read(&"é".repeat(100_000).into_bytes(), "utf-8").chars().count(), 100_000);
        assert_eq!(read(b"", "utf-8"), "");
    }

    #[test]
    fn utf8_is_told_from_latin() {
        let is_utf8 = |parts: &[&[u8]]| {
            let mut count = Utf8Count::default();
            parts.iter().for_each(|part| count.watch(part));
            count.is_utf8()
        };
        assert!(is_utf8(&[b"plain"]));
        assert!(is_utf8(&[b"Zo\xc3", b"\xab"]));
        assert!(!is_utf8(&[b"Zo\xeb, M\xfcller"]));
        assert!(!is_utf8(&[b"caf\xe9"]));
        assert!(is_utf8(&["Müller, ".repeat(20).as_bytes(), b"\xff"]));
    }
}
