//! The reading under every answer and event: what a strict parser takes comes out as it is but for its control characters, and what comes
//! out is taken by a strict parser.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_providers::json;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let read = json::read(body);
    if serde_json::from_slice::<Value>(body).is_ok() {
        assert!(read.is_ok());
    }
    if let Ok(value) = read {
        assert!(serde_json::from_str::<Value>(&value.to_string()).is_ok());
    }
});
