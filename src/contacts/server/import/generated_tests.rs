//! Files that chance makes, always the same ones: each record comes out as it was written, and no file, however hostile, costs more
//! than its size allows. Time is counted in bytes looked at.

use std::io::Read;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::records::{LONGEST, REACH, Records};

const PIECES: [&str; 16] =
    ["a", "Zoë", "आशा", " ", "\"", ",", ";", "\n", "\r\n", "\r", "7", "'", "\u{2028}", "\u{c}", "\u{85}", "🙂"];

struct Made {
    delimiter: u8,
    text: String,
    records: Vec<Vec<String>>,
}

/// A file as careful and careless programs write them: all kinds of line ends, quotes where they must be and where they need not be.
fn file(random: &mut StdRng) -> Made {
    let delimiter = *[",", ";", "\t", "|"].choose(random).unwrap();
    let mut made = Made { delimiter: delimiter.as_bytes()[0], text: String::new(), records: Vec::new() };
    for _ in 0..random.random_range(1..60) {
        let width = random.random_range(1..8);
        let record: Vec<String> = (0..width)
            .map(|_| (0..random.random_range(0..9)).map(|_| *PIECES.choose(random).unwrap()).collect())
            .collect();
        let written: Vec<String> = record
            .iter()
            .map(|cell| {
                let must = cell.contains(['"', '\n', '\r']) || cell.contains(delimiter);
                let quoted = must || (random.random_bool(0.3) && !cell.is_empty());
                if quoted { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
            })
            .collect();
        made.text += &written.join(delimiter);
        made.text += ["\n", "\r\n", "\r"].choose(random).unwrap();
        made.records.push(record);
    }
    made
}

fn all<R: std::io::Read>(records: &mut Records<R>) -> Vec<Vec<String>> {
    let mut read = Vec::new();
    while let Some(record) = records.read().unwrap() {
        assert!(!record.is_too_long);
        read.push(record.cells.iter().map(str::to_owned).collect());
    }
    read
}

#[test]
fn what_was_written_is_read() {
    for seed in 0..3_000 {
        let made = file(&mut StdRng::seed_from_u64(seed));
        let read = all(&mut Records::new(made.text.as_bytes(), made.delimiter));
        // An empty line end right behind a carriage return belongs to it, and an empty record is an empty line anyway.
        let full = |records: Vec<Vec<String>>| -> Vec<Vec<String>> {
            records.into_iter().filter(|record| record.len() > 1 || !record[0].is_empty()).collect()
        };
        assert_eq!(full(read), full(made.records), "seed {seed}: {:?}", made.text);
    }
}

/// What is read does not depend on how much comes at once.
#[test]
fn records_come_out_alike_in_pieces_of_any_size() {
    struct Slow<'a>(&'a [u8], StdRng);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.random_range(1..4).min(self.0.len()).min(out.len());
            let (now, later) = self.0.split_at(length);
            out[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }
    for seed in 0..1_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let text: String = (0..random.random_range(0..200)).map(|_| *PIECES.choose(&mut random).unwrap()).collect();
        let at_once = all(&mut Records::new(text.as_bytes(), b','));
        let slowly = all(&mut Records::new(Slow(text.as_bytes(), random), b','));
        assert_eq!(at_once, slowly, "seed {seed}: {text:?}");
    }
}

/// What is held does not grow with the file, however many quotes or blanks stand in a row.
#[test]
fn one_letter_over_and_over_is_not_held() {
    let many = 6 * REACH as u64;
    for (start, letter) in [("", b'"'), ("\"a\"", b' '), ("x\"", b' '), ("\"", b' '), ("\"\"\"", b' '), ("a,", b'\t')] {
        let text = start.as_bytes().chain(std::io::repeat(letter).take(many)).chain(&b"\nb,c\n"[..]);
        let mut records = Records::new(text, b',');
        let first = records.read().unwrap().unwrap();
        assert!(first.is_too_long && first.line == 1, "{start:?}");
        assert!(records.held() < 5 * REACH, "{start:?}: {}", records.held());
        let next = records.read().unwrap().unwrap();
        assert_eq!((next.line, next.cells.get(1)), (2, "c"), "{start:?}");
        assert!(records.read().unwrap().is_none());
        assert!(records.work() < 12 * many, "{start:?}: {}", records.work());
    }
}

#[test]
fn no_file_costs_more_than_its_size() {
    const SIZE: usize = 200_000;
    let mut files: Vec<String> = [
        "\"a\n",
        "\"a,b\n",
        "\"\n",
        "\",",
        "\"\",\"",
        "x,\"y\n",
        "\"a\"b\n",
        "\" ",
        "\"\"\" ",
        "a,\"\r",
        "\"a\r\n\"\"\"b",
        "\"x\",\"",
        "\n",
        ",",
        "\"a\" b, \"\n",
        "\"a\",\n\"b",
    ]
    .iter()
    .map(|line| line.repeat(SIZE / line.len()))
    .collect();
    // A quote that stays open until the very end, before anything else.
    files.extend(files.clone().iter().map(|text| format!("\"{text}")));
    files.push(format!("\"{}", "\"x,".repeat(SIZE / 3)));
    files.push("x".repeat(SIZE));
    // More than may be held.
    files.push("\"x\n".repeat(3 * REACH / 3));
    files.push("\"".repeat(SIZE + 1));
    files.push(format!("\"a{}", " \"".repeat(SIZE / 2)));
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let words: Vec<&str> = (0..random.random_range(2..6)).map(|_| *PIECES.choose(&mut random).unwrap()).collect();
        files.push((0..SIZE / 8).map(|_| *words.choose(&mut random).unwrap()).collect());
    }
    for text in files {
        let shown: String = text.chars().take(20).collect();
        let mut records = Records::new(text.as_bytes(), b',');
        let mut lines = 0;
        while let Some(record) = records.read().unwrap() {
            assert!(record.line > lines, "{shown:?}");
            assert!(record.raw.len() <= LONGEST, "{shown:?}");
            lines = record.line;
        }
        assert!(records.work() < 12 * text.len() as u64 + 1_000, "{shown:?}: {} of {}", records.work(), text.len());
        assert!(records.held() < 5 * REACH, "{shown:?}: {}", records.held());
    }
}
