//! Takes a delivery in: signature first, over the raw bytes; then the row; then the answer. Nothing is read out of a body before
//! its signature has been checked.

use axum::http::HeaderMap;
use bytes::Bytes;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::store::NewWebhook;
use super::{intake, keys};
use patchbay_access::server::{Db, Scope};
use patchbay_connections::server::ops::WebhookKeys;
use patchbay_providers::signature::{
    TELNYX_SIGNATURE, TELNYX_TIMESTAMP, TOLERANCE, ULTRAVOX_SIGNATURE, ULTRAVOX_TIMESTAMP, verify_telnyx,
    verify_ultravox,
};
use patchbay_providers::{SignatureError, json, telnyx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// The longest event id that is kept as it came.
const LONGEST_ID: usize = 200;

/// A delivery as it came.
pub(crate) struct Delivery {
    pub provider: String,
    pub workspace: WorkspaceId,
    pub connection: ConnectionId,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What the sender hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The event is on disk, now or since an earlier delivery.
    Stored,
    /// Unknown address or bad signature; nothing was stored.
    Rejected,
    TooLarge,
    /// Trouble of our own: the sender keeps the event and comes again.
    TryLater,
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Answer::Stored => "stored",
            Answer::Rejected => "refused",
            Answer::TooLarge => "too_large",
            Answer::TryLater => "try_later",
        }
    }
}

/// Checks and stores one delivery.
pub(crate) async fn take(db: Db, delivery: Delivery) -> Answer {
    match try_take(db, &delivery).await {
        Ok(answer) => answer,
        Err(AppError::NotFound) => Answer::Rejected,
        Err(error) => {
            tracing::warn!(provider = %delivery.provider, workspace = %delivery.workspace, cause = %error, "a webhook could not be checked");
            Answer::TryLater
        }
    }
}

async fn try_take(db: Db, delivery: &Delivery) -> Result<Answer, AppError> {
    let Some((provider, stamp, signature)) = signature_of(delivery) else { return Ok(Answer::Rejected) };
    let unverified = Scope::of_unverified_webhook(db.clone(), delivery.workspace, provider);
    if !is_genuine(&unverified, delivery, provider, stamp, signature).await? {
        return Ok(Answer::Rejected);
    }
    let (event_id, kind) = name(provider, &delivery.body);
    let new = NewWebhook {
        connection: delivery.connection,
        provider,
        event_id,
        kind,
        headers: headers(&delivery.headers),
        body: delivery.body.clone(),
    };
    let stored = intake::take(db, delivery.workspace, provider, new).await;
    Ok(if stored { Answer::Stored } else { Answer::TryLater })
}

/// The service, and what it signed with. None: no such service, or no signature at all, which costs no look into the database.
fn signature_of(delivery: &Delivery) -> Option<(&'static str, &str, &str)> {
    let (provider, stamp, signature) = match delivery.provider.as_str() {
        "ultravox" => ("ultravox", ULTRAVOX_TIMESTAMP, ULTRAVOX_SIGNATURE),
        "telnyx" => ("telnyx", TELNYX_TIMESTAMP, TELNYX_SIGNATURE),
        _ => return None,
    };
    let header = |name: &str| delivery.headers.get(name).and_then(|value| value.to_str().ok());
    Some((provider, header(stamp)?, header(signature)?))
}

async fn is_genuine(
    scope: &Scope,
    delivery: &Delivery,
    provider: &'static str,
    stamp: &str,
    signature: &str,
) -> Result<bool, AppError> {
    let (known, was_kept) = keys::of(scope, delivery.connection, provider, false).await?;
    let mut checked = check(&known, delivery, stamp, signature);
    if was_kept && checked == Err(SignatureError::Mismatch) {
        // The secret may have been changed in these seconds.
        let (known, _) = keys::of(scope, delivery.connection, provider, true).await?;
        checked = check(&known, delivery, stamp, signature);
    }
    let Err(why) = checked else { return Ok(true) };
    metrics::counter!("patchbay_webhooks_refused_total", "provider" => provider, "why" => reason(why)).increment(1);
    tracing::info!(provider, workspace = %scope.workspace_id(), connection = %delivery.connection, cause = %why, "refused a webhook");
    Ok(false)
}

fn check(keys: &WebhookKeys, delivery: &Delivery, stamp: &str, signature: &str) -> Result<(), SignatureError> {
    let (stamp, signature, now) = (Some(stamp), Some(signature), Utc::now());
    match keys {
        WebhookKeys::Ultravox(secrets) => verify_ultravox(secrets, stamp, signature, &delivery.body, now, TOLERANCE),
        WebhookKeys::Telnyx(key) => {
            verify_telnyx(std::slice::from_ref(key), stamp, signature, &delivery.body, now, TOLERANCE)
        }
    }
}

fn reason(why: SignatureError) -> &'static str {
    match why {
        SignatureError::Missing => "missing",
        SignatureError::Malformed => "malformed",
        SignatureError::Stale => "stale",
        SignatureError::Mismatch => "mismatch",
    }
}

/// What makes the event one of a kind, and what it is called. A body that cannot be read goes by its hash and is stored all the same.
fn name(provider: &str, body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Telnyx {
        data: TelnyxData,
    }
    #[derive(Deserialize)]
    struct TelnyxData {
        id: String,
        event_type: String,
    }
    #[derive(Deserialize)]
    struct Ultravox {
        event: String,
        call: UltravoxCall,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct UltravoxCall {
        call_id: String,
    }
    let hash = || hex::encode(Sha256::digest(body));
    // Half-broken text, or an id that is a number, is read the slow way: whoever delivers the event again must find it.
    let repaired = || if provider == "telnyx" { telnyx::document(body).ok() } else { json::read(body).ok() };
    let text = |document: &Value, path: &str| match document.pointer(path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let named = match provider {
        "telnyx" => serde_json::from_slice::<Telnyx>(body)
            .map(|event| (event.data.id, event.data.event_type))
            .ok()
            .or_else(|| {
                let document = repaired()?;
                let kind = text(&document, "/data/event_type")?;
                // Without an id the event goes by its hash.
                Some((text(&document, "/data/id").unwrap_or_default(), kind))
            }),
        _ => serde_json::from_slice::<Ultravox>(body)
            .map(|event| (event.event, event.call.call_id))
            .ok()
            .or_else(|| {
                let document = repaired()?;
                Some((text(&document, "/event")?, text(&document, "/call/callId")?))
            })
            // Ultravox gives events no id. The same event with other content (a bill that was pending) is another piece of news.
            .map(|(event, call)| (format!("{event}:{call}:{}", &hash()[..32]), event)),
    };
    let (id, kind) = named.unwrap_or_else(|| (String::new(), "unreadable".to_owned()));
    let odd = |text: &str, most: usize| text.is_empty() || text.len() > most || text.chars().any(char::is_control);
    let id = if odd(&id, LONGEST_ID) { format!("sha256:{}", hash()) } else { id };
    let kind = if odd(&kind, 80) { "unreadable".to_owned() } else { kind };
    (id, kind)
}

/// The headers for the page. What proves identity is left out.
fn headers(all: &HeaderMap) -> Value {
    let mut kept = Map::new();
    for (name, value) in all {
        let secret =
            [ULTRAVOX_SIGNATURE, TELNYX_SIGNATURE, "authorization", "cookie", "x-api-key"].contains(&name.as_str());
        let text = if secret { "[hidden]".into() } else { String::from_utf8_lossy(value.as_bytes()).replace('\0', "") };
        kept.insert(name.to_string(), Value::String(text));
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_by_what_they_are() {
        let body = br#"{"event":"call.ended","call":{"callId":"c1","created":"2026-03-02T14:05:11Z"}}"#;
        let (id, kind) = name("ultravox", body);
        assert_eq!((kind.as_str(), &id[..14]), ("call.ended", "call.ended:c1:"));
        assert_eq!(name("ultravox", body).0, id);
        assert_eq!(
            name("telnyx", br#"{"data":{"id":"e1","event_type":"call.hangup"}}"#),
            ("e1".into(), "call.hangup".into())
        );
    }

    #[test]
    fn what_cannot_be_read_goes_by_its_hash() {
        let deep = "[".repeat(10_000);
        let long = format!(r#"{{"data":{{"id":"{}","event_type":"call.cost"}}}}"#, "x".repeat(3000));
        for body in [b"\xff\x00".as_slice(), deep.as_bytes(), b"{}", b"null"] {
            let (id, kind) = name("ultravox", body);
            assert!(id.starts_with("sha256:") && kind == "unreadable", "{id} {kind}");
        }
        assert!(name("telnyx", long.as_bytes()).0.starts_with("sha256:"));
        let deep = format!(
            r#"{{"data":{{"id":"e1","event_type":"call.cost","payload":{}1{}}}}}"#,
            "[".repeat(9000),
            "]".repeat(9000)
        );
        assert_eq!(name("telnyx", deep.as_bytes()), ("e1".into(), "call.cost".into()));
        assert_eq!(name("telnyx", br#"{"data":{"id":7,"event_type":"call.cost"}}"#), ("7".into(), "call.cost".into()));
        assert_eq!(name("telnyx", br#"{"data":{"event_type":"call.cost"}}"#).1, "call.cost");
        let half = br#"{"event":"call.ended","call":{"callId":"c1","a":"\ud83d","b":"\u0000"}}"#;
        assert!(name("ultravox", half).0.starts_with("call.ended:c1:"));
        assert!(name("telnyx", br#"{"data":{"id":"a\u0000b","event_type":"call.cost"}}"#).0.starts_with("sha256:"));
    }
}
