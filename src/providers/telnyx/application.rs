//! Applications that are told in XML what to do with a call.

use crate::telephony::{CallApplication, HeldApplication};
use crate::wire;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
pub(super) struct Application {
    id: String,
    #[serde(default, deserialize_with = "wire::text")]
    friendly_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    voice_url: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    status_callback: Option<String>,
    #[serde(default, deserialize_with = "wire::flag")]
    call_cost_in_webhooks: Option<bool>,
    #[serde(default, deserialize_with = "wire::object")]
    outbound: Option<Map<String, Value>>,
}

impl From<Application> for HeldApplication {
    fn from(held: Application) -> Self {
        let profile = held.outbound.as_ref().and_then(|outbound| outbound.get("outbound_voice_profile_id")?.as_str());
        Self {
            id: held.id,
            name: held.friendly_name.unwrap_or_default(),
            voice_url: held.voice_url,
            status_url: held.status_callback,
            tells_cost: held.call_cost_in_webhooks.unwrap_or(false),
            outbound_profile: profile.filter(|id| !id.is_empty()).map(str::to_owned),
        }
    }
}

/// What is sent of an application. `held`: the members that hold others are sent whole, with what somebody else has set in them.
pub(super) fn body(wanted: &CallApplication, held: Option<&Value>) -> Value {
    let mut body = json!({
        "friendly_name": wanted.name,
        "voice_url": wanted.voice_url,
        "voice_method": "post",
        "status_callback": wanted.status_url,
        "status_callback_method": "post",
        "call_cost_in_webhooks": true,
    });
    let mut outbound = held.and_then(|held| held.get("outbound")?.as_object()).cloned().unwrap_or_default();
    if let Some(profile) = &wanted.outbound_profile {
        let chosen = outbound.get("outbound_voice_profile_id").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
        if !chosen {
            outbound.insert("outbound_voice_profile_id".to_owned(), json!(profile));
        }
    }
    if !outbound.is_empty() {
        body["outbound"] = Value::Object(outbound);
    }
    body
}
