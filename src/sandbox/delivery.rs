//! Sends webhooks: signed, with retries, and if the settings say so late, twice, out of order or not at all.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use super::call::Call;
use super::clock::iso;
use super::state::{DeliveryEntry, Sandbox};
use super::ultravox::shapes;
use patchbay_providers::signature::{sign_telnyx, sign_ultravox};

/// Who signs.
pub(super) enum Signature {
    Ultravox(Vec<String>),
    /// The seed of the account's Ed25519 key.
    Telnyx([u8; 32]),
}

/// A webhook ready to go.
pub(super) struct Letter {
    pub key: String,
    pub url: String,
    pub event: String,
    /// The call id, or the carrier's event id.
    pub event_id: String,
    pub body: Value,
    pub signature: Signature,
    /// The Ultravox webhook that keeps a list of its failures.
    pub webhook_id: Option<String>,
}

/// Sends a call event to the account's webhooks and to the call's own callback.
pub(super) fn call_event(sandbox: &Arc<Sandbox>, key: &str, event: &str, call: &Call) {
    let mut targets: Vec<(String, Vec<String>, Option<String>)> = sandbox.with_account(key, |account| {
        let wants = |hook: &Value| {
            let of_agent = hook.get("agentId").and_then(Value::as_str);
            let events = hook.get("events").and_then(Value::as_array);
            of_agent.is_none_or(|agent_id| call.agent_id() == Some(agent_id))
                && events.is_some_and(|events| events.iter().any(|known| known.as_str() == Some(event)))
        };
        let hooks = account.webhooks.iter().filter(|(_, hook)| wants(hook));
        hooks
            .filter_map(|(id, hook)| Some((hook.get("url")?.as_str()?.to_owned(), secrets(hook), Some(id.clone()))))
            .collect()
    });
    let callback = call.request.get("callbacks").and_then(|all| all.get(event.trim_start_matches("call.")));
    if let Some(url) = callback.and_then(|callback| callback.get("url")).and_then(Value::as_str) {
        targets.push((url.to_owned(), callback.map(secrets).unwrap_or_default(), None));
    }
    if targets.is_empty() {
        return;
    }
    let body = json!({"event": event, "call": shapes::call(call)});
    for (url, secrets, webhook_id) in targets {
        send(
            sandbox,
            Letter {
                key: key.to_owned(),
                url,
                event: event.to_owned(),
                event_id: call.id.to_string(),
                body: body.clone(),
                signature: Signature::Ultravox(secrets),
                webhook_id,
            },
        );
    }
}

fn secrets(hook: &Value) -> Vec<String> {
    let list = hook.get("secrets").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Starts a letter on its way, once or twice.
pub(super) fn send(sandbox: &Arc<Sandbox>, letter: Letter) {
    let settings = sandbox.settings_for(&letter.key);
    let mut dice = sandbox.dice("webhook");
    if dice.chance(settings.loss_rate) {
        return;
    }
    let [from, to] = settings.webhook_delay_ms;
    let mut delay = dice.between([from as f64, to as f64]);
    if dice.chance(settings.reorder_rate) {
        delay += settings.reorder_ms as f64;
    }
    let letter = Arc::new(letter);
    if dice.chance(settings.duplicate_rate) {
        let later = delay + dice.between([20.0, 400.0]);
        sandbox.begin(&letter.key, deliver(sandbox.clone(), letter.clone(), later, true));
    }
    sandbox.begin(&letter.key.clone(), deliver(sandbox.clone(), letter, delay, false));
}

async fn deliver(sandbox: Arc<Sandbox>, letter: Arc<Letter>, delay_ms: f64, duplicate: bool) {
    let settings = sandbox.settings_for(&letter.key);
    if !rest(&sandbox, delay_ms / 1000.0).await {
        return;
    }
    for attempt in 1..=settings.webhook_retries + 1 {
        let status = attempt_once(&sandbox, &letter, attempt).await;
        sandbox.log_delivery(DeliveryEntry {
            at: Utc::now(),
            key: letter.key.clone(),
            event: letter.event.clone(),
            event_id: letter.event_id.clone(),
            attempt,
            duplicate,
            status,
        });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        note_failure(&sandbox, &letter, status);
        let jitter = sandbox.dice("retry").between([0.9, 1.1]);
        let pause =
            settings.webhook_retry_secs * f64::from(2_u32.saturating_pow(attempt - 1)) * jitter / settings.speed;
        if !rest(&sandbox, pause).await {
            return;
        }
    }
}

/// Posts the letter, signed anew; the status, or none when no answer came.
async fn attempt_once(sandbox: &Sandbox, letter: &Letter, attempt: u32) -> Option<u16> {
    let _permit = sandbox.sending.acquire().await.ok()?;
    let mut body = letter.body.clone();
    if matches!(letter.signature, Signature::Telnyx(_)) {
        body["meta"] = json!({"attempt": attempt, "delivered_to": letter.url});
    }
    let bytes = body.to_string().into_bytes();
    let request = sandbox.http.post(&letter.url).header("content-type", "application/json");
    let request = match &letter.signature {
        Signature::Ultravox(secrets) => {
            let timestamp = iso(Utc::now());
            let all: Vec<String> = secrets.iter().map(|secret| sign_ultravox(secret, &timestamp, &bytes)).collect();
            let signature = all.join(",");
            request.header("X-Ultravox-Webhook-Timestamp", timestamp).header("X-Ultravox-Webhook-Signature", signature)
        }
        Signature::Telnyx(seed) => {
            let timestamp = Utc::now().timestamp().to_string();
            let signature = sign_telnyx(seed, &timestamp, &bytes);
            request.header("telnyx-timestamp", timestamp).header("telnyx-signature-ed25519", signature)
        }
    };
    request.body(bytes).send().await.ok().map(|response| response.status().as_u16())
}

fn note_failure(sandbox: &Sandbox, letter: &Letter, status: Option<u16>) {
    let Some(id) = &letter.webhook_id else { return };
    let failure = status.map_or_else(|| "no response".to_owned(), |status| format!("HTTP {status}"));
    sandbox.with_account(&letter.key, |account| {
        if let Some(list) =
            account.webhooks.get_mut(id).and_then(|hook| hook.get_mut("recentFailures")).and_then(Value::as_array_mut)
        {
            list.push(json!({"timestamp": iso(Utc::now()), "failure": failure}));
            let extra = list.len().saturating_sub(10);
            list.drain(..extra);
        }
    });
}

/// Sleeps; false when the sandbox is shutting down.
async fn rest(sandbox: &Sandbox, seconds: f64) -> bool {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))) => true,
        () = sandbox.shutdown.cancelled() => false,
    }
}
