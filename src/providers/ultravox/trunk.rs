//! Accounts at Twilio and Plivo that Ultravox dials through: one per carrier. Tokens go in and never come out.

use super::NAME;
use super::carrier::THEIRS;
use crate::carrier::Trunk;
use crate::error::{Kind, ProviderError};
use crate::http::{Ask, Endpoint};
use crate::sealed::Secret;
use crate::voice::HeldTrunk;
use serde_json::{Map, Value, json};

/// The member that names the account.
fn id_member(trunk: Trunk) -> &'static str {
    if trunk == Trunk::Plivo { "authId" } else { "accountSid" }
}

fn path(trunk: Trunk) -> [&'static str; 2] {
    ["telephony_configs", trunk.as_str()]
}

async fn document(endpoint: &Endpoint, trunk: Trunk) -> Result<Option<Map<String, Value>>, ProviderError> {
    match endpoint.json::<Map<String, Value>>(Ask::get(&path(trunk))).await {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(held: &Map<String, Value>, trunk: Trunk) -> HeldTrunk {
    let account = held.get(id_member(trunk)).and_then(Value::as_str).filter(|text| !text.is_empty());
    let prefix =
        held.get("authTokenPrefix").and_then(|token| token.get("prefix").or(Some(token))).and_then(Value::as_str);
    HeldTrunk { account_id: account.map(str::to_owned), token_prefix: prefix.map(str::to_owned) }
}

pub(super) async fn held(endpoint: &Endpoint, trunk: Trunk) -> Result<Option<HeldTrunk>, ProviderError> {
    let held = document(endpoint, trunk).await?;
    // An empty document is no account.
    Ok(held.map(|held| read(&held, trunk)).filter(|held| held.account_id.is_some()))
}

pub(super) async fn set(
    endpoint: &Endpoint,
    trunk: Trunk,
    account_id: &str,
    token: &Secret<String>,
) -> Result<HeldTrunk, ProviderError> {
    let before = document(endpoint, trunk).await?;
    let theirs: Map<String, Value> = before
        .iter()
        .flatten()
        .filter(|(name, value)| THEIRS.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut body = theirs.clone();
    body.insert(id_member(trunk).to_owned(), json!(account_id));
    body.insert("authToken".to_owned(), json!(token.expose()));
    let body = Value::Object(body);
    let ask = if before.is_some() { Ask::patch(&path(trunk), body) } else { Ask::post(&path(trunk), body) };
    endpoint.done(ask.hide(token)).await?;
    let after = document(endpoint, trunk).await?.unwrap_or_default();
    let now = read(&after, trunk);
    let lost = theirs.iter().any(|(name, value)| after.get(name) != Some(value));
    if lost || !now.is(account_id, token) {
        return Err(ProviderError::new(NAME, Kind::Garbage, "It did not keep the carrier account as it was sent"));
    }
    Ok(now)
}

pub(super) async fn remove(endpoint: &Endpoint, trunk: Trunk, account_id: &str) -> Result<(), ProviderError> {
    let held = held(endpoint, trunk).await?;
    if held.and_then(|held| held.account_id).as_deref() != Some(account_id) {
        return Ok(());
    }
    match endpoint.done(Ask::delete(&path(trunk))).await {
        Err(error) if error.kind != Kind::NotFound => Err(error),
        _ => Ok(()),
    }
}
