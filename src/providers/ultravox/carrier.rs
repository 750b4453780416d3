//! The carrier account that Ultravox dials through: one per carrier. Keys go in and never come out.

use super::NAME;
use crate::error::{Kind, ProviderError};
use crate::http::{Ask, Endpoint};
use crate::voice::{CarrierAccount, HeldCarrier};
use serde_json::{Map, Value, json};

const PATH: [&str; 2] = ["telephony_configs", "telnyx"];
/// What the account's owner may have set there: who may be called by whom. Sent back as it is, for a PATCH may replace everything.
pub(super) const THEIRS: [&str; 3] =
    ["callCreationAllowedAgentIds", "callCreationAllowAllAgents", "requestContextMapping"];

/// The document that the service has. None: none yet.
pub(super) async fn held(endpoint: &Endpoint) -> Result<Option<Map<String, Value>>, ProviderError> {
    match endpoint.json::<Map<String, Value>>(Ask::get(&PATH)).await {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn read(held: &Map<String, Value>) -> HeldCarrier {
    let text = |name: &str| held.get(name).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty());
    let prefix = held.get("apiKeyPrefix").and_then(|key| key.get("prefix").or(Some(key))).and_then(Value::as_str);
    HeldCarrier {
        account_id: text("accountSid"),
        application_id: text("applicationSid"),
        key_prefix: prefix.map(str::to_owned),
    }
}

pub(super) async fn set(endpoint: &Endpoint, account: &CarrierAccount) -> Result<HeldCarrier, ProviderError> {
    let before = held(endpoint).await?;
    let theirs: Map<String, Value> = before
        .iter()
        .flatten()
        .filter(|(name, value)| THEIRS.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut body = theirs.clone();
    let ours = [
        ("accountSid", json!(account.account_id)),
        ("apiKey", json!(account.api_key.expose())),
        ("publicKey", json!(account.public_key)),
        ("applicationSid", json!(account.application_id)),
    ];
    body.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    let body = Value::Object(body);
    let ask = if before.is_some() { Ask::patch(&PATH, body) } else { Ask::post(&PATH, body) };
    endpoint.done(ask.hide(&account.api_key)).await?;
    let after = held(endpoint).await?.unwrap_or_default();
    let now = read(&after);
    let lost: Vec<&str> =
        theirs.iter().filter(|(name, value)| after.get(*name) != Some(value)).map(|(name, _)| name.as_str()).collect();
    if !now.is(account) || !lost.is_empty() {
        let what = if lost.is_empty() { "the carrier account".to_owned() } else { lost.join(", ") };
        return Err(ProviderError::new(NAME, Kind::Garbage, format!("It did not keep what it was sent: {what}")));
    }
    Ok(now)
}
