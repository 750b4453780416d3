//! What the pages of webhooks show.

use serde::{Deserialize, Serialize};

use super::{EndpointForm, EventType};
use patchbay_shared::ids::{DeliveryId, WebhookEndpointId, WebhookEventId};
use patchbay_shared::{Page, Stamp, Tone};

/// Tries of a delivery before it has failed for good.
pub const MOST_TRIES: i32 = 10;
/// Days that events and deliveries are kept.
pub const KEPT_DAYS: i64 = 30;
/// What a receiver knows an event by: the same in each try, and after a replay.
pub fn message_id(event: WebhookEventId) -> String {
    format!("msg_{}", event.0.simple())
}

/// `98.6%` of so many. None: there were none.
pub fn share(part: i64, of: i64) -> Option<String> {
    let mille = (of > 0).then(|| part * 1000 / of)?;
    Some(if mille == 1000 { "100%".to_owned() } else { format!("{}.{}%", mille / 10, mille % 10) })
}

/// Hours for which the secret before goes on at most.
pub const LONGEST_OVERLAP: i32 = 168;

patchbay_shared::words! {
    /// How an endpoint stands.
    pub EndpointStatus: "integration_status" {
        Active = "active", "Active", Ok;
        /// Somebody paused it.
        Inactive = "inactive", "Paused", Mute;
        /// Patchbay switched it off.
        Error = "error", "Off", Bad;
    }
    /// How a delivery stands.
    pub DeliveryState: "text" {
        Waiting = "waiting", "Waiting", Warn;
        Sending = "sending", "Sending", Info;
        Delivered = "delivered", "Delivered", Ok;
        Failed = "failed", "Failed", Bad;
        /// The endpoint is off or paused.
        Held = "held", "Kept", Mute;
    }
    /// A time up to now.
    pub When: "text" {
        Today = "today", "Today", Mute;
        Day = "24h", "Last 24 hours", Mute;
        Week = "7d", "Last 7 days", Mute;
    }
}

/// What the page of webhooks is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhooksQuery {
    /// Of what of the list is shown.
    pub list: DeliveryQuery,
    /// The number of a try of the opened delivery.
    pub attempt: Option<String>,
    /// A range that could be replayed: local times as fields have them, and `all` for what was delivered, too.
    pub range_from: Option<String>,
    pub range_to: Option<String>,
    pub range_of: Option<String>,
}

/// What deliveries are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryQuery {
    /// A word of `When`.
    pub when: Option<String>,
    /// A word of `DeliveryState`.
    pub state: Option<String>,
    /// A word of `EventType`.
    pub event: Option<String>,
    /// `at`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One endpoint, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointRow {
    pub id: WebhookEndpointId,
    pub name: String,
    /// None: all clients.
    pub client: Option<String>,
    pub status: EndpointStatus,
    /// Since when every try has failed.
    pub failing_since: Option<Stamp>,
    /// Deliveries of the last 24 hours.
    pub deliveries: i64,
    /// Of these, what was tried, and what went well at the first try.
    pub tried: i64,
    pub first_try: i64,
    /// Deliveries that wait for another try.
    pub waiting: i64,
    /// Deliveries that are kept until it is switched on.
    pub held: i64,
    pub events: Vec<EventType>,
    /// Its client is archived: nothing is sent.
    pub archived: bool,
    /// Why it is off, when Patchbay switched it off, and since when it is off or paused.
    pub off_reason: Option<String>,
    pub off_at: Option<Stamp>,
    /// Until when what is kept is kept: of the oldest.
    pub kept_until: Option<Stamp>,
}

impl EndpointRow {
    pub fn tone(&self) -> Tone {
        match self.status {
            EndpointStatus::Active if self.archived => Tone::Mute,
            EndpointStatus::Active if self.failing_since.is_some() || self.waiting > 0 => Tone::Warn,
            status => status.tone(),
        }
    }

    pub fn hears_everything(&self) -> bool {
        EventType::offered().all(|kind| self.events.contains(&kind))
    }
}

/// The endpoint that the page is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointView {
    pub row: EndpointRow,
    pub url: String,
    /// All events that there are, and how many happened in the last 24 hours.
    pub counts: Vec<(EventType, i64)>,
    pub secret_at: Stamp,
    /// The secret before: since when, and until when it signs.
    pub old_secret: Option<OldSecret>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OldSecret {
    pub since: Stamp,
    pub until: Stamp,
}

/// One delivery, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    /// When the event happened.
    pub at: Stamp,
    pub state: DeliveryState,
    pub event: EventType,
    /// As the receiver has it.
    pub message_id: String,
    pub tries: i32,
    pub tries_in_row: i32,
    pub last_status: Option<i32>,
    pub last_error: Option<String>,
    pub last_ms: Option<i32>,
    pub next: Option<Stamp>,
    pub replayed: bool,
}

impl DeliveryRow {
    /// Tries that are left.
    pub fn left(&self) -> i32 {
        (MOST_TRIES - self.tries_in_row).max(0)
    }

    /// `503, again`, `200, replayed`, `No answer`.
    pub fn said(&self) -> (Tone, String) {
        let answer = match (self.last_status, self.tries) {
            (Some(status), _) => status.to_string(),
            (None, 0) => String::new(),
            (None, _) => "No answer".to_owned(),
        };
        let with = |word: &str| match answer.as_str() {
            "" => word.to_owned(),
            answer => format!("{answer}, {}", word.to_lowercase()),
        };
        let text = match self.state {
            DeliveryState::Waiting if self.replayed => with("Again by hand"),
            DeliveryState::Waiting if self.tries > 0 => with("Again"),
            DeliveryState::Waiting => "Waiting".to_owned(),
            DeliveryState::Sending => "Sending".to_owned(),
            DeliveryState::Delivered if self.replayed => with("Replayed"),
            DeliveryState::Delivered if answer.is_empty() => "Delivered".to_owned(),
            DeliveryState::Delivered => answer,
            DeliveryState::Failed if answer.is_empty() => "Failed".to_owned(),
            DeliveryState::Failed => with("given up"),
            DeliveryState::Held => with("Kept"),
        };
        (self.state.tone(), text)
    }
}

/// The delivery that is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryView {
    pub row: DeliveryRow,
    /// What it leads to: the words and the address.
    pub about: Option<(String, String)>,
    /// The exact body, written when the event happened, and the same set out in lines.
    pub body: String,
    pub laid_out: String,
    pub bytes: i64,
    /// Each try's number and time.
    pub tries: Vec<(i32, Stamp)>,
    /// The one that is shown.
    pub attempt: Option<AttemptView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    pub number: i32,
    pub at: Stamp,
    pub request_headers: Vec<(String, String)>,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub ms: i32,
    pub remote: Option<String>,
    pub response_headers: Vec<(String, String)>,
    pub response_body: Option<String>,
}

/// What a replay of a range would take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RangeView {
    /// As a field for a local time has it.
    pub from: String,
    pub to: String,
    pub only_failed: bool,
    pub count: i64,
    /// Why nothing can be counted.
    pub wrong: Option<String>,
    /// The viewer's zone.
    pub zone: String,
}

/// The page of webhooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhooksPage {
    pub endpoints: Vec<EndpointRow>,
    /// None: there is no endpoint.
    pub chosen: Option<EndpointView>,
    pub list: Page<DeliveryRow>,
    pub opened: Option<DeliveryView>,
    pub range: RangeView,
    /// Why nothing is sent at the moment, from any endpoint.
    pub rest: Option<String>,
    /// People are told by mail when an endpoint is switched off. False: this installation sends none.
    pub is_mailed: bool,
}

/// The form of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointPage {
    pub form: EndpointForm,
    /// Of an endpoint that is there.
    pub name: Option<String>,
}

/// A secret, this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSecret {
    pub endpoint: String,
    pub name: String,
    pub url: String,
    pub secret: String,
}

/// A JSON text in lines, in its own order: only blanks between its words are changed. Text that is no JSON stays as it is, more or less.
pub fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            in_text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            out.push(letter);
            continue;
        }
        match letter {
            '{' | '[' => {
                out.push(letter);
                let closes = if letter == '{' { '}' } else { ']' };
                if letters.peek() == Some(&closes) {
                    out.extend(letters.next());
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            letter if letter.is_whitespace() => {}
            letter => {
                in_text = letter == '"';
                out.push(letter);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{laid_out, share};

    #[test]
    fn a_body_is_set_out_in_lines_and_its_texts_stay() {
        let text = r#"{"type":"test","data":{"a":[1,2],"b":"x, {\"y\": 1}\\","c":{}, "d":[]}}"#;
        let lines = laid_out(text);
        assert_eq!(
            lines,
            "{\n  \"type\": \"test\",\n  \"data\": {\n    \"a\": [\n      1,\n      2\n    ],\n    \"b\": \"x, {\\\"y\\\": 1}\\\\\",\n    \"c\": {},\n    \"d\": []\n  }\n}"
        );
        assert_eq!(laid_out("}}} not json"), "\n}\n}\n}notjson");
    }

    #[test]
    fn a_share_is_never_said_to_be_more_than_it_is() {
        assert_eq!(share(0, 0), None);
        assert_eq!(share(1999, 2000).as_deref(), Some("99.9%"));
        assert_eq!(share(3, 3).as_deref(), Some("100%"));
    }
}
