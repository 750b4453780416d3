//! Text of any kind is cut into records within time and memory that its size bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_contacts::server::import::{LONGEST, REACH, Records};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let delimiter = b",;\t|"[usize::from(first % 4)];
    let text = String::from_utf8_lossy(rest);
    let mut records = Records::new(text.as_bytes(), delimiter);
    let mut line = 0;
    while let Some(record) = records.read().expect("memory can be read") {
        assert!(record.line > line);
        assert!(record.raw.len() <= LONGEST);
        line = record.line;
    }
    assert!(records.work() < 12 * text.len() as u64 + 1_000);
    assert!(records.held() < 5 * REACH);
});
