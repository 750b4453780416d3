//! A file of any kind is looked at, and read to its end with the columns that were guessed. Each row is accounted for, or `walk` fails.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_contacts::guess;
use patchbay_contacts::server::import::sniff::{Witness, sniff};
use patchbay_contacts::server::import::{Walk, walk};

fuzz_target!(|data: &[u8]| {
    let folder = std::env::temp_dir().join(format!("patchbay-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("file.csv");
    std::fs::write(&path, data).expect("a file");
    let mut witness = Witness::default();
    data.chunks(1_000).for_each(|piece| witness.watch(piece));
    let Ok(Ok(sniffed)) = sniff(&path, &witness) else { return };
    let file = Walk {
        path,
        encoding: sniffed.encoding.to_owned(),
        delimiter: sniffed.delimiter,
        mapping: guess::mapping(&sniffed.preview, &[]),
        preview: sniffed.preview,
        country: Some("CH".into()),
    };
    let mut rows = 0;
    walk(&file, |piece| {
        assert_eq!(piece.rows as usize, piece.people.len() + piece.refused.len());
        rows += piece.rows;
        Ok(true)
    })
    .expect("each row is accounted for");
});
