//! Events of the carrier.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_providers::telnyx::{CallEventKind, TelnyxEvent, TelnyxPayload};

fuzz_target!(|body: &[u8]| {
    let Ok(event) = TelnyxEvent::decode(body) else { return };
    assert!(!event.event_type.is_empty());
    if let TelnyxPayload::Call(call) = event.payload
        && let CallEventKind::Cost { total: Some(total), .. } = call.kind
    {
        assert!(!total.is_sign_negative());
    }
});
