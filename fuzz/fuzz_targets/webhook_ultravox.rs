//! Events of the voice service.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_providers::ultravox::WebhookEvent;

fuzz_target!(|body: &[u8]| {
    if let Ok(event) = WebhookEvent::decode(body) {
        assert!(!event.call.id.is_empty() && event.call.id.len() <= 200);
        assert!(!format!("{event:?}").contains('\0'));
    }
});
