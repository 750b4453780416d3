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
pub(super) struct Delivery {
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
    let mut body = json!({"event": event, "call": shapes::call(call)});
    if sandbox.settings_for(key).quirks.odd_fields {
        body["call"]["billedSideInputTokens"] = json!("none");
        body["call"]["endReason"] = json!(7);
        if call.joined.is_some() {
            body["call"]["joined"] = json!("just now");
        }
    }
    for (url, secrets, webhook_id) in targets {
        send(
            sandbox,
            Delivery {
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

/// Starts a delivery on its way, once or twice.
pub(super) fn send(sandbox: &Arc<Sandbox>, delivery: Delivery) {
    let settings = sandbox.settings_for(&delivery.key);
    let mut rng = sandbox.rng("webhook");
    if rng.chance(settings.loss_rate) {
        return;
    }
    let [from, to] = settings.webhook_delay_ms;
    let mut delay = rng.between([from as f64, to as f64]);
    if rng.chance(settings.reorder_rate) {
        delay += settings.reorder_ms as f64;
    }
    let delivery = Arc::new(delivery);
    if rng.chance(settings.duplicate_rate) {
        let later = delay + rng.between([20.0, 400.0]);
        sandbox.begin(&delivery.key, deliver(sandbox.clone(), delivery.clone(), later, true));
    }
    sandbox.begin(&delivery.key.clone(), deliver(sandbox.clone(), delivery, delay, false));
}

async fn deliver(sandbox: Arc<Sandbox>, delivery: Arc<Delivery>, delay_ms: f64, duplicate: bool) {
    let settings = sandbox.settings_for(&delivery.key);
    if !rest(&sandbox, delay_ms / 1000.0).await {
        return;
    }
    for attempt in 1..=settings.webhook_retries + 1 {
        let status = attempt_once(&sandbox, &delivery, attempt).await;
        sandbox.log_delivery(DeliveryEntry {
            at: Utc::now(),
            key: delivery.key.clone(),
            event: delivery.event.clone(),
            event_id: delivery.event_id.clone(),
            attempt,
            duplicate,
            status,
        });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        note_failure(&sandbox, &delivery, status);
        let jitter = sandbox.rng("retry").between([0.9, 1.1]);
        let pause =
            settings.webhook_retry_secs * f64::from(2_u32.saturating_pow(attempt - 1)) * jitter / settings.speed;
        if !rest(&sandbox, pause).await {
            return;
        }
    }
}

/// Posts the delivery, signed anew; the status, or none when no answer came.
async fn attempt_once(sandbox: &Sandbox, delivery: &Delivery, attempt: u32) -> Option<u16> {
    let _permit = sandbox.sending.acquire().await.ok()?;
    let mut body = delivery.body.clone();
    if matches!(delivery.signature, Signature::Telnyx(_)) {
        body["meta"] = json!({"attempt": attempt, "delivered_to": delivery.url});
    }
    let is_half = sandbox.settings_for(&delivery.key).quirks.half_emoji;
    let text = if is_half { shapes::with_half_an_emoji(&body) } else { body.to_string() };
    let bytes = text.into_bytes();
    let request = sandbox.http.post(&delivery.url).header("content-type", "application/json");
    let request = match &delivery.signature {
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

fn note_failure(sandbox: &Sandbox, delivery: &Delivery, status: Option<u16>) {
    let Some(id) = &delivery.webhook_id else { return };
    let failure = status.map_or_else(|| "no response".to_owned(), |status| format!("HTTP {status}"));
    sandbox.with_account(&delivery.key, |account| {
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
