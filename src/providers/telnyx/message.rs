//! Text messages at Telnyx: `POST /messages`, `GET /messages/{id}`, messaging profiles, and the events `message.received`, `message.sent`
//! and `message.finalized`. After github.com/team-telnyx/telnyx-python `src/telnyx/types` and
//! developers.telnyx.com/docs/messaging/messages (receiving-webhooks, error-codes, advanced-opt-in-out).
//!
//! The surprising parts: there is no list of messages, so a send whose answer was lost is found only by its events, which repeat the text;
//! and what comes to a number is told by the messaging profile that the number hangs on.

use super::{Ask, Kind, Many, NAME, One, ProviderError, Telnyx};
use crate::text::{
    IncomingText, Keyword, NewText, Progress, Refusal, SentText, TextCarrier, TextEvent, TextStatus, price,
};
use crate::wire::{Fields, Remarks, count_of};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The name of our messaging profile.
const PROFILE: &str = "Patchbay";
/// Sending to somebody who has told the carrier to stop.
const BLOCKED: &str = "40300";

#[async_trait]
impl TextCarrier for Telnyx {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, text: &NewText) -> Result<SentText, ProviderError> {
        let body = json!({
            "from": text.from, "to": text.to, "text": text.text, "type": "SMS", "webhook_url": text.status_url,
            "use_profile_webhooks": false,
        });
        let sent: One<Value> = self.endpoint.json(Ask::post(&["messages"], body)).await?;
        taken(&sent.data).ok_or_else(|| unnamed(true))
    }

    async fn get(&self, id: &str) -> Result<SentText, ProviderError> {
        let found: One<Value> = self.endpoint.json(Ask::get(&["messages", id])).await?;
        taken(&found.data).ok_or_else(|| unnamed(false))
    }

    async fn find(&self, _: &NewText, _: DateTime<Utc>) -> Result<Option<Vec<SentText>>, ProviderError> {
        Ok(None)
    }

    async fn listen(&self, number: &str, url: &str) -> Result<(), ProviderError> {
        let ask = Ask::get(&["phone_numbers"]).query("filter[phone_number]", number);
        let found: Many<Value> = self.endpoint.json(ask).await?;
        let mine = found.data.iter().find(|row| text_of(row, "phone_number").as_deref() == Some(number));
        let id = mine.and_then(|row| text_of(row, "id"));
        let id = id.ok_or_else(|| ProviderError::new(NAME, Kind::NotFound, "The account has no such number"))?;
        let now: One<Value> = self.endpoint.json(Ask::get(&["phone_numbers", &id, "messaging"])).await?;
        if let Some(profile) = text_of(&now.data, "messaging_profile_id").filter(|profile| !profile.is_empty()) {
            let held: One<Value> = self.endpoint.json(Ask::get(&["messaging_profiles", &profile])).await?;
            return match text_of(&held.data, "webhook_url").filter(|held| !held.is_empty()) {
                Some(held) if held == url => Ok(()),
                Some(_) if text_of(&held.data, "name").as_deref() != Some(PROFILE) => Err(ProviderError::new(
                    NAME,
                    Kind::Rejected,
                    "The number's messaging profile tells another address what comes in. Give the number another profile, or none",
                )),
                _ => self.point_profile(&profile, url).await,
            };
        }
        let profile = self.profile(url).await?;
        let body = json!({"messaging_profile_id": profile});
        self.endpoint.done(Ask::patch(&["phone_numbers", &id, "messaging"], body)).await
    }
}

impl Telnyx {
    async fn point_profile(&self, id: &str, url: &str) -> Result<(), ProviderError> {
        let body = json!({"webhook_url": url, "webhook_api_version": "2"});
        self.endpoint.done(Ask::patch(&["messaging_profiles", id], body)).await
    }

    /// Our messaging profile, made if there is none.
    async fn profile(&self, url: &str) -> Result<String, ProviderError> {
        let ask = Ask::get(&["messaging_profiles"]).query("filter[name]", PROFILE);
        let found: Vec<Value> = self.all(ask).await?;
        // A filter that the service ignored would answer with every profile: check it here again.
        let ours = found.iter().find(|row| text_of(row, "name").as_deref() == Some(PROFILE));
        if let Some(ours) = ours.and_then(|row| text_of(row, "id").map(|id| (id, text_of(row, "webhook_url")))) {
            let (id, held) = ours;
            if held.as_deref() != Some(url) {
                self.point_profile(&id, url).await?;
            }
            return Ok(id);
        }
        let body = json!({
            "name": PROFILE, "webhook_url": url, "webhook_api_version": "2", "whitelisted_destinations": ["*"],
        });
        let made: One<Value> = self.endpoint.json(Ask::post(&["messaging_profiles"], body)).await?;
        text_of(&made.data, "id").ok_or_else(|| unnamed(true))
    }
}

/// What an event about messages says; none for one of another kind, and for one that names no message.
pub(super) fn read(event_type: &str, payload: &Value, remarks: &mut Remarks) -> Option<TextEvent> {
    let message = Fields::of(payload);
    let text = |remarks: &mut Remarks| message.text("text", remarks).unwrap_or_default();
    let from = message.inner("from", "from.", remarks).id("phone_number", remarks);
    let first = payload.get("to").and_then(|to| to.as_array().map_or(Some(to), |all| all.first()));
    let to = first.and_then(|to| match to {
        Value::String(number) => Some(number.clone()),
        to => Fields::of(to).id("phone_number", remarks),
    });
    match event_type {
        "message.received" => Some(TextEvent::Incoming(IncomingText {
            id: message.id("id", remarks)?,
            from: from?,
            to: to?,
            text: text(remarks),
            parts: parts_of(payload),
            files: payload.get("media").and_then(Value::as_array).map_or(0, Vec::len),
            keyword: text_of(payload, "autoresponse_type").and_then(|word| Keyword::of_carrier(&word)),
        })),
        "message.sent" | "message.finalized" => {
            let text = Some(text(remarks)).filter(|text| !text.is_empty());
            Some(TextEvent::Status(TextStatus { sent: taken(payload)?, from, to, text }))
        }
        _ => None,
    }
}

/// A message resource.
fn taken(message: &Value) -> Option<SentText> {
    let id = text_of(message, "id").filter(|id| !id.is_empty())?;
    let status = message.pointer("/to/0/status").and_then(Value::as_str).unwrap_or_default();
    let progress = match status {
        "sent" | "delivery_unconfirmed" => Progress::Sent,
        "delivered" => Progress::Delivered,
        "sending_failed" | "delivery_failed" | "expired" => Progress::Failed(refusal(message)),
        _ => Progress::OnItsWay,
    };
    let cost = message.get("cost");
    let amount = cost.and_then(|cost| text_of(cost, "amount"));
    let currency = cost.and_then(|cost| text_of(cost, "currency"));
    Some(SentText { id, progress, parts: parts_of(message), cost: price(amount.as_deref(), currency.as_deref()) })
}

fn refusal(message: &Value) -> Refusal {
    let errors = message.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let said = errors.iter().find_map(|error| text_of(error, "detail").or_else(|| text_of(error, "title")));
    let opted_out = errors.iter().any(|error| text_of(error, "code").as_deref() == Some(BLOCKED));
    Refusal { said: said.unwrap_or_else(|| "The carrier gave no reason".to_owned()), opted_out }
}

fn parts_of(message: &Value) -> Option<u32> {
    message.get("parts").and_then(count_of).and_then(|parts| u32::try_from(parts).ok())
}

/// A text, or a number as text.
fn text_of(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(crate::json::clean_text(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn unnamed(may_have_acted: bool) -> ProviderError {
    let mut error = ProviderError::new(NAME, Kind::Garbage, "The answer names no message");
    error.may_have_acted = may_have_acted;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_about_messages_are_read_and_odd_ones_are_none() {
        let mut remarks = Remarks::new();
        // developers.telnyx.com/docs/messaging/messages/receiving-webhooks, shortened.
        let received = json!({
            "id": "84cca175-9755-4859-b67f-4730d7f58aa3", "direction": "inbound", "type": "SMS", "parts": 1, "media": [],
            "from": {"phone_number": "+13125550001", "carrier": "T-Mobile USA", "line_type": "long_code"},
            "to": [{"phone_number": "+17735550002", "status": "webhook_delivered"}], "text": "Hello from Telnyx!", "cost": null, "errors": [],
        });
        let Some(TextEvent::Incoming(text)) = read("message.received", &received, &mut remarks) else {
            panic!("an incoming message");
        };
        assert_eq!((text.from.as_str(), text.to.as_str()), ("+13125550001", "+17735550002"));
        assert_eq!((text.text.as_str(), text.parts, text.keyword), ("Hello from Telnyx!", Some(1), None));

        let finalized = json!({
            "id": "403171f1", "from": {"phone_number": "+17735550002"}, "to": [{"phone_number": "+13125550001", "status": "delivered"}],
            "text": "Hi", "parts": 2, "cost": {"amount": "0.0051", "currency": "USD"}, "errors": [],
        });
        let Some(TextEvent::Status(status)) = read("message.finalized", &finalized, &mut remarks) else {
            panic!("a status");
        };
        assert_eq!((&status.sent.progress, status.sent.parts), (&Progress::Delivered, Some(2)));
        assert_eq!(status.sent.cost, "0.0051".parse().ok());

        let blocked = json!({"id": 7, "to": [{"status": "sending_failed"}], "errors": [{"code": "40300", "title": "Blocked due to STOP message"}]});
        let Some(TextEvent::Status(status)) = read("message.finalized", &blocked, &mut remarks) else {
            panic!("a status");
        };
        let Progress::Failed(why) = status.sent.progress else { panic!("it failed") };
        assert!(why.opted_out && why.said.contains("STOP"), "{why:?}");
        for odd in
            [json!(null), json!([]), json!({"id": []}), json!({"id": "x", "from": 7, "to": {}}), json!({"to": [[]]})]
        {
            assert_eq!(read("message.received", &odd, &mut remarks), None, "{odd}");
        }
        let foreign = json!({"id": "x", "to": "+1", "cost": {"amount": -1, "currency": "EUR"}, "parts": -3});
        let sent = taken(&foreign).map(|sent| (sent.cost, sent.parts, sent.progress));
        assert_eq!(sent, Some((None, None, Progress::OnItsWay)));
    }
}
