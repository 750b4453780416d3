//! Text messages at Plivo: `Message/`, and the forms it posts. After plivo.com/docs/messaging/api/message (message_uuid, message_state,
//! units, total_amount), plivo.com/docs/messaging/concepts/message-status-callbacks, and plivo-python `resources/messages.py`.
//!
//! The surprising parts: the list has no texts, so a message is found again by its numbers and its time; and what comes to a number is told
//! by the number's application, which its calls have, too.

use super::incoming::{Application, name_for_texts};
use super::{Ask, Kind, NAME, Plivo, ProviderError};
use crate::carrier::was_ours;
use crate::sealed::Secret;
use crate::signature::SignatureError;
use crate::text::{
    IncomingText, NewText, Progress, Refusal, SentText, TextCarrier, TextEvent, TextStatus, e164, price,
};
use crate::wire;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

/// Headers of what is posted about messages: the address and a nonce are signed.
pub const TEXT_SIGNATURE: &str = "x-plivo-signature-v2";
pub const TEXT_NONCE: &str = "x-plivo-signature-v2-nonce";
/// Sending to somebody who has told the carrier to stop.
const OPTED_OUT: &str = "200";
/// The list of what the whole account has sent comes in pages of at most so many, and is read so far.
const PAGE: usize = 20;
const MOST_PAGES: usize = 50;

#[derive(Deserialize)]
struct Taken {
    #[serde(default)]
    message_uuid: Value,
}

#[derive(Deserialize)]
struct Message {
    message_uuid: String,
    #[serde(default, deserialize_with = "wire::text")]
    message_state: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    from_number: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    to_number: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    message_time: Option<DateTime<Utc>>,
    #[serde(default)]
    units: Value,
    #[serde(default)]
    total_amount: Value,
    #[serde(default)]
    error_code: Value,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    objects: Vec<Message>,
}

#[async_trait]
impl TextCarrier for Plivo {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, text: &NewText) -> Result<SentText, ProviderError> {
        let body = json!({
            "src": text.from, "dst": text.to, "text": text.text, "type": "sms", "url": text.status_url, "method": "POST",
        });
        let ask = Ask::post(&self.path(&["Message"]), body).slashed().hide(&self.token);
        let taken: Taken = self.endpoint.json(ask).await?;
        let id = match &taken.message_uuid {
            Value::Array(all) => all.first().and_then(Value::as_str),
            one => one.as_str(),
        };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            let mut error = ProviderError::new(NAME, Kind::Garbage, "The answer names no message");
            error.may_have_acted = true;
            return Err(error);
        };
        Ok(SentText { id: id.to_owned(), progress: Progress::OnItsWay, parts: None, cost: None })
    }

    async fn get(&self, id: &str) -> Result<SentText, ProviderError> {
        Ok(self.endpoint.json::<Message>(self.read(&["Message", id])).await?.into())
    }

    async fn find(&self, text: &NewText, since: DateTime<Utc>) -> Result<Option<Vec<SentText>>, ProviderError> {
        let since_there = since.format("%Y-%m-%d %H:%M:%S").to_string();
        let (mut all, mut offset) = (Vec::new(), 0);
        loop {
            let ask =
                self.read(&["Message"]).query("message_direction", "outbound").query("message_time__gte", &since_there);
            let ask = ask.query("limit", PAGE.to_string()).query("offset", offset.to_string());
            let page: Messages = self.endpoint.json(ask).await?;
            let count = page.objects.len();
            all.extend(page.objects);
            if count < PAGE {
                break;
            }
            offset += PAGE;
            // Not looked through to its end, the list says nothing.
            if offset >= PAGE * MOST_PAGES {
                return Ok(None);
            }
        }
        let number = |number: &Option<String>| number.as_deref().map(e164);
        let alike = all.into_iter().filter(|found| {
            number(&found.from_number).as_deref() == Some(&text.from)
                && number(&found.to_number).as_deref() == Some(&text.to)
                && found.message_time.is_none_or(|at| at >= since)
        });
        Ok(Some(alike.map(SentText::from).collect()))
    }

    async fn listen(&self, number: &str, url: &str) -> Result<(), ProviderError> {
        let id = number.trim_start_matches('+');
        let held = self.application_of(id).await?;
        let has_one = held.is_some();
        // Each number has an application of its own: one that several share would tell one address about all of them.
        let known = match held {
            Some(held) => Some(held),
            None => self.application_called(&name_for_texts(id)).await?,
        };
        match known.as_ref().and_then(Application::message_url) {
            Some(told) if told == url && has_one => return Ok(()),
            // Another address of this agency's is an older one. Ours for calls may hold somebody else's for messages.
            Some(told) if !was_ours(told, url, 0) => {
                let said =
                    "The number's application tells another address what comes in. Take the message URL out of it";
                return Err(ProviderError::new(NAME, Kind::Rejected, said));
            }
            _ => {}
        }
        match known {
            Some(held) if has_one => {
                self.change(held.id(), json!({"message_url": url, "message_method": "POST"})).await
            }
            known => self.tell_texts(id, known, (url, "POST")).await,
        }
    }
}

impl From<Message> for SentText {
    fn from(message: Message) -> Self {
        let code = text_of(&message.error_code);
        Self {
            progress: progress(message.message_state.as_deref().unwrap_or_default(), code.as_deref()),
            parts: text_of(&message.units).and_then(|count| count.parse().ok()).filter(|count| *count > 0),
            cost: price(text_of(&message.total_amount).as_deref(), None),
            id: message.message_uuid,
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn progress(state: &str, code: Option<&str>) -> Progress {
    match state {
        "sent" => Progress::Sent,
        "delivered" | "read" => Progress::Delivered,
        "failed" | "undelivered" | "rejected" => {
            let code = code.filter(|code| !code.is_empty() && *code != "000");
            let said =
                code.map_or_else(|| "The carrier gave no reason".to_owned(), |code| format!("Plivo's error {code}"));
            Progress::Failed(Refusal { said, opted_out: code == Some(OPTED_OUT) })
        }
        _ => Progress::OnItsWay,
    }
}

/// What a form says that Plivo has posted. None: nothing about a message.
pub fn text_event(fields: &[(String, String)]) -> Option<TextEvent> {
    let field = |name: &str| {
        let value = fields.iter().find(|(known, _)| known == name).map(|(_, value)| crate::json::clean_text(value));
        value.filter(|value| !value.is_empty())
    };
    let id = field("MessageUUID")?;
    let (from, to) = (field("From").map(|number| e164(&number)), field("To").map(|number| e164(&number)));
    match field("Status") {
        None => Some(TextEvent::Incoming(IncomingText {
            id,
            from: from?,
            to: to?,
            text: field("Text").unwrap_or_default(),
            parts: field("Units").and_then(|count| count.parse().ok()),
            files: usize::from(field("Media0").is_some()),
            keyword: None,
        })),
        Some(status) => {
            let sent = SentText {
                id,
                progress: progress(&status, field("ErrorCode").as_deref()),
                parts: field("Units").and_then(|count| count.parse().ok()).filter(|count| *count > 0),
                cost: price(field("TotalAmount").as_deref(), None),
            };
            Some(TextEvent::Status(TextStatus { sent, from, to, text: None }))
        }
    }
}

/// Checks what was posted about messages: base64 of HMAC-SHA256 over the address and the nonce.
pub fn verify_text(
    auth_token: &Secret<String>,
    url: &Url,
    nonce: Option<&str>,
    signature: Option<&str>,
) -> Result<(), SignatureError> {
    let nonce = nonce.map(str::trim).filter(|nonce| !nonce.is_empty()).ok_or(SignatureError::Missing)?;
    let signature = signature.map(str::trim).filter(|text| !text.is_empty()).ok_or(SignatureError::Missing)?;
    let token = Some(auth_token.expose().trim()).filter(|token| !token.is_empty()).ok_or(SignatureError::Mismatch)?;
    let given = STANDARD.decode(signature).map_err(|_| SignatureError::Malformed)?;
    text_mac(token, url, nonce).verify_slice(&given).map_err(|_| SignatureError::Mismatch)
}

/// Signs as Plivo does. For stand-ins and tests.
pub fn sign_text(auth_token: &str, url: &Url, nonce: &str) -> String {
    STANDARD.encode(text_mac(auth_token, url, nonce).finalize().into_bytes())
}

fn text_mac(token: &str, url: &Url, nonce: &str) -> Hmac<Sha256> {
    let mut base = url.clone();
    base.set_query(None);
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("any key length");
    mac.update(base.as_str().as_bytes());
    mac.update(nonce.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_forms_are_read_and_signatures_checked() {
        let document = json!({
            "message_uuid": "u1", "message_state": "delivered", "from_number": "15671234567", "to_number": "14151234567", "units": 2,
            "total_amount": "0.00720", "message_time": "2026-03-02 14:05:11+00:00",
        });
        let sent: SentText = serde_json::from_value::<Message>(document).expect("a message").into();
        assert_eq!((&sent.progress, sent.parts, sent.cost), (&Progress::Delivered, Some(2), "0.00720".parse().ok()));
        let form = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let came = form(&[
            ("MessageUUID", "u2"),
            ("From", "14151234567"),
            ("To", "15671234567"),
            ("Text", "STOP"),
            ("Type", "sms"),
        ]);
        let Some(TextEvent::Incoming(text)) = text_event(&came) else { panic!("an incoming message") };
        assert_eq!(
            (text.from.as_str(), text.to.as_str(), text.text.as_str()),
            ("+14151234567", "+15671234567", "STOP")
        );
        let told = form(&[("MessageUUID", "u1"), ("Status", "rejected"), ("ErrorCode", "200")]);
        let Some(TextEvent::Status(status)) = text_event(&told) else { panic!("a status") };
        assert!(matches!(status.sent.progress, Progress::Failed(Refusal { opted_out: true, .. })), "{status:?}");

        let (token, url) =
            (Secret::new("token".to_owned()), Url::parse("https://a.example/hooks?x=1").expect("an address"));
        let signature = sign_text("token", &url, "n1");
        assert_eq!(verify_text(&token, &url, Some("n1"), Some(&signature)), Ok(()));
        assert_eq!(verify_text(&token, &url, Some("n2"), Some(&signature)), Err(SignatureError::Mismatch));
        assert_eq!(verify_text(&token, &url, None, Some(&signature)), Err(SignatureError::Missing));
    }
}
