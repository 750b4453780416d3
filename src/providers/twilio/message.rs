//! Text messages at Twilio: `Messages.json`, and the forms it posts. After twilio.com/docs/messaging/api/message-resource,
//! twilio.com/docs/messaging/guides/webhook-request (MessageSid, NumSegments, OptOutType) and the status callback's MessageStatus.

use super::{Ask, Kind, NAME, ProviderError, Twilio};
use crate::text::{
    IncomingText, Keyword, NewText, Progress, Refusal, SentText, TextCarrier, TextEvent, TextStatus, e164, price,
};
use crate::wire::{self, parse_decimal};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// Sending to somebody who has told the carrier to stop.
const UNSUBSCRIBED: &str = "21610";
/// Where new numbers tell what comes in, and the path of our own addresses.
const EXAMPLE: &str = "https://demo.twilio.com/";
const OURS: &str = "/hooks/texts/twilio/";
/// Messages of one page of a search.
const FOUND: &str = "50";

#[derive(Deserialize)]
struct Message {
    sid: String,
    #[serde(default, deserialize_with = "wire::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    body: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    from: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    to: Option<String>,
    #[serde(default)]
    num_segments: Value,
    #[serde(default)]
    price: Value,
    #[serde(default, deserialize_with = "wire::text")]
    price_unit: Option<String>,
    #[serde(default)]
    error_code: Value,
    #[serde(default, deserialize_with = "wire::text")]
    error_message: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    date_created: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(default)]
    incoming_phone_numbers: Vec<Held>,
}

#[derive(Deserialize)]
struct Held {
    sid: String,
    #[serde(default, deserialize_with = "wire::text")]
    phone_number: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    sms_url: Option<String>,
}

#[async_trait]
impl TextCarrier for Twilio {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn send(&self, text: &NewText) -> Result<SentText, ProviderError> {
        let fields = [
            ("From", text.from.as_str()),
            ("To", &text.to),
            ("Body", &text.text),
            ("StatusCallback", &text.status_url),
        ];
        let ask = Ask::form(&self.path(&["Messages.json"]), &fields).hide(&self.token);
        Ok(self.endpoint.json::<Message>(ask).await?.into())
    }

    async fn get(&self, id: &str) -> Result<SentText, ProviderError> {
        let document = format!("{id}.json");
        Ok(self.endpoint.json::<Message>(self.read(&["Messages", &document])).await?.into())
    }

    async fn find(&self, text: &NewText, since: DateTime<Utc>) -> Result<Option<Vec<SentText>>, ProviderError> {
        // The list is narrowed by day there, and to the moment here.
        let ask = self.read(&["Messages.json"]).query("From", &text.from).query("To", &text.to);
        let day = since.format("%Y-%m-%d").to_string();
        let found: Messages = self.endpoint.json(ask.query("DateSent>", day).query("PageSize", FOUND)).await?;
        let alike = found.messages.into_iter().filter(|found| {
            found.body.as_deref() == Some(&text.text)
                && found.from.as_deref() == Some(&text.from)
                && found.to.as_deref() == Some(&text.to)
                && found.date_created.is_none_or(|at| at >= since)
        });
        Ok(Some(alike.map(SentText::from).collect()))
    }

    async fn listen(&self, number: &str, url: &str) -> Result<(), ProviderError> {
        let ask = self.read(&["IncomingPhoneNumbers.json"]).query("PhoneNumber", number);
        let found: Numbers = self.endpoint.json(ask).await?;
        let held = found.incoming_phone_numbers.into_iter().find(|held| held.phone_number.as_deref() == Some(number));
        let held = held.ok_or_else(|| ProviderError::new(NAME, Kind::NotFound, "The account has no such number"))?;
        match held.sms_url.as_deref() {
            Some(known) if known == url => return Ok(()),
            // Twilio's own example stands at new numbers; another address of ours is an older one.
            Some(known) if !known.is_empty() && !known.starts_with(EXAMPLE) && !known.contains(OURS) => {
                let said = "The number tells another address what comes in. Take the URL for messages out of it";
                return Err(ProviderError::new(NAME, Kind::Rejected, said));
            }
            _ => {}
        }
        let document = format!("{}.json", held.sid);
        let fields = [("SmsUrl", url), ("SmsMethod", "POST")];
        let ask = Ask::form(&self.path(&["IncomingPhoneNumbers", &document]), &fields).repeatable();
        self.endpoint.done(ask.hide(&self.token)).await
    }
}

impl From<Message> for SentText {
    fn from(message: Message) -> Self {
        let why = || refusal(text_of(&message.error_code).as_deref(), message.error_message.as_deref());
        Self {
            progress: progress(message.status.as_deref().unwrap_or_default(), why),
            parts: text_of(&message.num_segments).and_then(|count| count.parse().ok()).filter(|count| *count > 0),
            cost: price(text_of(&message.price).as_deref(), message.price_unit.as_deref()),
            id: message.sid,
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

fn progress(status: &str, why: impl FnOnce() -> Refusal) -> Progress {
    match status {
        "sent" => Progress::Sent,
        "delivered" | "read" => Progress::Delivered,
        "failed" | "undelivered" | "canceled" => Progress::Failed(why()),
        _ => Progress::OnItsWay,
    }
}

fn refusal(code: Option<&str>, said: Option<&str>) -> Refusal {
    let code = code.filter(|code| !code.is_empty() && *code != "0");
    let said = match (said.filter(|said| !said.is_empty()), code) {
        (Some(said), _) => said.to_owned(),
        (None, Some(code)) => format!("Twilio's error {code}"),
        (None, None) => "The carrier gave no reason".to_owned(),
    };
    Refusal { said, opted_out: code == Some(UNSUBSCRIBED) }
}

/// What a form says that Twilio has posted. None: nothing about a message.
pub fn text_event(fields: &[(String, String)]) -> Option<TextEvent> {
    let field = |name: &str| {
        let value = fields.iter().find(|(known, _)| known == name).map(|(_, value)| crate::json::clean_text(value));
        value.filter(|value| !value.is_empty())
    };
    let id = field("MessageSid").or_else(|| field("SmsSid"))?;
    let status = field("MessageStatus").or_else(|| field("SmsStatus"));
    let (from, to) = (field("From").map(|number| e164(&number)), field("To").map(|number| e164(&number)));
    match status.as_deref() {
        // What comes in says that it was received, or nothing.
        None | Some("received" | "receiving") => Some(TextEvent::Incoming(IncomingText {
            id,
            from: from?,
            to: to?,
            text: field("Body").unwrap_or_default(),
            parts: field("NumSegments").and_then(|count| count.parse().ok()),
            files: field("NumMedia").and_then(|count| count.parse().ok()).unwrap_or(0),
            keyword: field("OptOutType").and_then(|word| Keyword::of_carrier(&word)),
        })),
        Some(status) => {
            let why = || refusal(field("ErrorCode").as_deref(), field("ErrorMessage").as_deref());
            let cost = field("Price").filter(|price| parse_decimal(price).is_some());
            let cost = price(cost.as_deref(), field("PriceUnit").as_deref());
            let sent = SentText { id, progress: progress(status, why), parts: None, cost };
            Some(TextEvent::Status(TextStatus { sent, from, to, text: None }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn messages_and_forms_are_read() {
        // twilio.com/docs/messaging/api/message-resource, shortened.
        let document = json!({
            "sid": "SM1", "status": "undelivered", "body": "Hi", "from": "+15017122661", "to": "+15558675310", "num_segments": "2",
            "price": "-0.00750", "price_unit": "USD", "error_code": 30005, "error_message": "Unknown destination handset",
            "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
        });
        let sent: SentText = serde_json::from_value::<Message>(document).expect("a message").into();
        assert_eq!((sent.parts, sent.cost), (Some(2), "0.00750".parse().ok()));
        let failed = Refusal { said: "Unknown destination handset".to_owned(), opted_out: false };
        assert_eq!(sent.progress, Progress::Failed(failed));

        let came = form(&[
            ("MessageSid", "SM2"),
            ("SmsStatus", "received"),
            ("From", "+15558675310"),
            ("To", "+15017122661"),
            ("Body", "Stop"),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("OptOutType", "STOP"),
        ]);
        let Some(TextEvent::Incoming(text)) = text_event(&came) else { panic!("an incoming message") };
        assert_eq!((text.text.as_str(), text.keyword, text.files), ("Stop", Some(Keyword::Stop), 0));
        let told =
            form(&[("MessageSid", "SM1"), ("MessageStatus", "failed"), ("ErrorCode", "21610"), ("To", "+15558675310")]);
        let Some(TextEvent::Status(status)) = text_event(&told) else { panic!("a status") };
        assert!(matches!(status.sent.progress, Progress::Failed(Refusal { opted_out: true, .. })), "{status:?}");
        assert_eq!(text_event(&form(&[("CallSid", "CA1")])), None);
        assert_eq!(text_event(&form(&[("MessageSid", "SM3"), ("From", "+1")])), None);
    }
}
