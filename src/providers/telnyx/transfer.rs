//! Giving a call to a person: a second leg is rung and joined with the first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::telephony::LegTransfer;

pub(super) fn body(to: &LegTransfer) -> Value {
    json!({
        "to": to.to,
        "from": to.from,
        "timeout_secs": to.ring_seconds,
        "command_id": to.command_id,
        "target_leg_client_state": STANDARD.encode(&to.state),
        "webhook_url": to.webhook_url,
    })
}

/// The text that was given as a leg's state, from an event. None: it is no text of anybody.
pub fn state_of(client_state: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(client_state.trim()).ok()?).ok()
}
