use std::fs::File;
use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, MACINTOSH};

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

/// The name of an encoding as `ENCODINGS` has it. What is not in that list is read as the most frequent of the old ones.
pub(crate) fn encoding_name(name: &str) -> &'static str {
    let known = crate::ENCODINGS.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(name));
    known.unwrap_or("windows-1252")
}

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

/// Bytes that are kept for a closer look at the encoding.
const SAMPLE: usize = 128 * 1024;
const WINDOW: usize = 1024;

/// Watches the bytes of a file go by and says afterwards in which encoding they were written. Nothing but a sample is kept.
#[derive(Debug, Default, Clone)]
pub struct Witness {
    carry: Vec<u8>,
    well_formed: u64,
    broken: u64,
    /// Parts that hold more than ASCII, until there are enough.
    sample: Vec<u8>,
    /// The last part had some: the rest of its last character may stand in the next.
    is_open: bool,
}

impl Witness {
    pub fn watch(&mut self, bytes: &[u8]) {
        self.keep(bytes);
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

    fn keep(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(WINDOW) {
            if self.sample.len() >= SAMPLE {
                return;
            }
            let is_plain = part.is_ascii();
            if !is_plain || self.is_open {
                self.sample.extend_from_slice(part);
            }
            self.is_open = !is_plain;
        }
    }

    /// The encoding, as the Encoding Standard calls it, when it isn't UTF-16. Call when no more bytes come. A few broken bytes do not
    /// make UTF-8 anything else.
    pub(crate) fn encoding(&self) -> &'static str {
        let broken = self.broken + u64::from(!self.carry.is_empty());
        if broken == 0 || self.well_formed > broken * 10 {
            return "utf-8";
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&self.sample, true);
        let guess = detector.guess(None, Utf8Detection::Deny);
        let guess = if is_macintosh(&self.sample) { MACINTOSH } else { guess };
        // The old names, in lower case as the choice on the page has them.
        encoding_name(guess.name())
    }
}

/// Old Macs had an encoding of their own, which no browser's guess knows. Their small letters with accents are capitals, signs and
/// unused places in the others: `JŸrg MŸller` for `Jürg Müller`. So their neighbours tell.
fn is_macintosh(sample: &[u8]) -> bool {
    let letter = |byte: u8, encoding: &'static Encoding| {
        let bytes = [byte];
        let text = encoding.decode_without_bom_handling(&bytes).0;
        text.chars().next().filter(|letter| ('À'..='ÿ').contains(letter) || "œŒŸ".contains(*letter))
    };
    let (mut mac, mut windows, mut all) = (0, 0, 0);
    for (at, &byte) in sample.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        let beside = [at.checked_sub(1), Some(at + 1)].map(|at| at.and_then(|at| sample.get(at)).copied());
        let beside: Vec<u8> = beside.into_iter().flatten().filter(u8::is_ascii_alphabetic).collect();
        if beside.is_empty() {
            continue;
        }
        all += 1;
        let is_small = beside.iter().any(u8::is_ascii_lowercase);
        // A capital stands at the beginning of a word, or among capitals.
        let begins = at == 0 || !sample[at - 1].is_ascii_alphabetic();
        let fits = |letter: char| if letter.is_lowercase() { is_small } else { begins || !is_small };
        mac += usize::from(letter(byte, MACINTOSH).is_some_and(fits));
        windows += usize::from(letter(byte, encoding_rs::WINDOWS_1252).is_some_and(fits));
    }
    // Where letters beyond ASCII stand mostly beside each other, this is another script.
    let high = sample.iter().filter(|byte| !byte.is_ascii()).count();
    all * 2 > high && mac * 10 >= all * 9 && windows * 2 < mac
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

    fn written_in(encoding: &str, text: &str) -> &'static str {
        let (bytes, _, is_lossy) = Encoding::for_label(encoding.as_bytes()).unwrap().encode(text);
        assert!(!is_lossy, "{encoding}: {text}");
        let mut witness = Witness::default();
        bytes.chunks(7).for_each(|part| witness.watch(part));
        witness.encoding()
    }

    #[test]
    fn utf8_is_told_from_latin() {
        let seen = |parts: &[&[u8]]| {
            let mut witness = Witness::default();
            parts.iter().for_each(|part| witness.watch(part));
            witness.encoding()
        };
        assert_eq!(seen(&[b"plain"]), "utf-8");
        assert_eq!(seen(&[b"Zo\xc3", b"\xab"]), "utf-8");
        assert_eq!(seen(&[b"Zo\xeb, M\xfcller"]), "windows-1252");
        assert_eq!(seen(&[b"caf\xe9"]), "windows-1252");
        assert_eq!(seen(&["Müller, ".repeat(20).as_bytes(), b"\xff"]), "utf-8");
    }

    #[test]
    fn old_encodings_are_told_apart() {
        let german = "Name;Telefon\rJürg Müller;+41792007002\rÖzlem Größle;+41792007003\r";
        for (encoding, text) in [
            ("windows-1252", german),
            ("macintosh", german),
            ("macintosh", "Nom,Ville\rRenée Lefèvre,Besançon\rÉric,Nîmes\r"),
            // brianmario/charlock_holmes issue 98
            ("macintosh", "Produtor;PRODUTO\rSÍTIO UWADA;ALMEIRÃO PÃO DE AÇÚCAR ; maço ;2\rSÍTIO SOL;ALHO PORÓ;\r"),
            ("windows-1252", "Nom,Ville\nRenée Lefèvre,Besançon\nÉric,Nîmes\n"),
            ("windows-1252", "NOM,VILLE\nRENÉE LEFÈVRE,BESANÇON\n"),
            ("windows-1252", "Nombre;Teléfono\nIñigo Núñez;+34600111222\n"),
            ("windows-1251", "Имя;Телефон\r\nАнна Белова;+41792007001\r\n"),
            ("koi8-u", "Имя;Телефон\r\nАнна Белова;+41792007001\r\nПётр Ильич Сидоров;+41792007002\r\n"),
            ("windows-1250", "Jméno;Telefon\nŽaneta Dvořáková;+420601234567\nŘehoř Šťastný;+420601234568\n"),
            ("windows-1253", "Όνομα;Τηλέφωνο\nΓιώργος Παπαδόπουλος;+302101234567\n"),
            ("windows-1254", "Ad;Telefon\nIşıl Çağlar Şahin;+902121234567\nGüneş Yıldız Doğan;+902121234568\n"),
            ("shift_jis", "名前,電話番号\n山田太郎,+81312345678\n鈴木花子,+81312345679\n"),
            ("gbk", "姓名,电话\n王小明,+861012345678\n张伟,+861012345679\n"),
            ("euc-kr", "이름,전화\n김철수,+82212345678\n이영희,+82212345679\n"),
        ] {
            assert_eq!(written_in(encoding, text), encoding, "{text}");
        }
    }
}
