mod form;
mod keyword;
mod length;
mod template;

use serde::{Deserialize, Serialize};

pub use form::{RuleFields, RuleForm};
pub use keyword::{Said, said};
pub use length::{Length, length};
pub use template::{check_template, fill};

use patchbay_shared::ids::{CallId, ClientId, ContactId, NumberId, TextMessageId, TextRuleId};
use patchbay_shared::{Money, Page, Stamp};

/// Rules that an agency has at most.
pub const MOST_RULES: i64 = 200;
/// The longest message, in characters.
pub const LONGEST_TEXT: usize = 1600;
/// Messages that one person gets of rules and agents within a day.
pub const MOST_A_DAY: i64 = 5;

patchbay_shared::words! {
    /// How a text message stands.
    pub TextState: "text" {
        Waiting = "waiting", "Waiting", Info;
        Sending = "sending", "Sending", Info;
        Sent = "sent", "Sent", Ok;
        Delivered = "delivered", "Delivered", Ok;
        Failed = "failed", "Failed", Bad;
        NotSent = "not_sent", "Not sent", Warn;
        Received = "received", "Received", Mute;
    }
    /// Who sent it, and why.
    pub TextSource: "text" {
        Rule = "rule", "A rule", Mute;
        Agent = "agent", "An agent on a call", Mute;
        Person = "person", "A person", Mute;
        Contact = "contact", "The contact", Mute;
    }
    /// Which way a message went.
    pub TextDirection: "text" {
        Out = "out", "To a contact", Mute;
        In = "in", "From a contact", Mute;
    }
    /// How a call ended, for a rule.
    pub RuleOutcome: "text" {
        Missed = "missed", "A contact called and was missed", Mute;
        NoAnswer = "no_answer", "We called and nobody answered", Mute;
        Busy = "busy", "We called and the line was busy", Mute;
        Declined = "declined", "We called and the call was declined", Mute;
        Voicemail = "voicemail", "We reached a voicemail", Mute;
        Answered = "answered", "Somebody talked with the agent", Mute;
        CallbackScheduled = "callback_scheduled", "A call-back was agreed", Mute;
    }
    /// Whether a rule is in use.
    pub Switched: "text" {
        On = "on", "On", Ok;
        Off = "off", "Off", Mute;
    }
}

impl Switched {
    pub fn of(enabled: bool) -> Self {
        if enabled { Switched::On } else { Switched::Off }
    }
}

/// What the list of messages is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextQuery {
    /// Part of a message, or of a number.
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub client: Option<String>,
    pub direction: Option<String>,
    pub state: Option<String>,
    pub rule: Option<String>,
    pub contact: Option<String>,
    pub call: Option<String>,
    /// Ours.
    pub number: Option<String>,
    /// Days, `2026-11-20`, both included: of messages that a carrier took by that moment, of others by when they were written or came in.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The zone of the days, if it is not the viewer's: an IANA name, or `OWN_ZONE`.
    pub zone: Option<String>,
    /// `yes`: messages that a carrier took, as usage counts them.
    pub taken: Option<String>,
    /// `no`: of these, those that usage counts as not priced yet.
    pub priced: Option<String>,
    pub cursor: Option<String>,
}

impl TextQuery {
    /// In place of a zone: each client's days in its own, as lists of calls have it.
    pub const OWN_ZONE: &str = "client";
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextRow {
    pub id: TextMessageId,
    pub at: Stamp,
    /// When it arrived, failed, or was not sent.
    pub done: Option<Stamp>,
    /// When it is due, while it waits.
    pub due: Option<Stamp>,
    pub direction: TextDirection,
    pub source: TextSource,
    pub state: TextState,
    /// Why it failed or was not sent.
    pub problem: Option<String>,
    pub client: String,
    pub contact: Option<(ContactId, String)>,
    /// Ours, where the viewer may see it.
    pub number: Option<String>,
    /// The person's, E.164.
    pub other: String,
    pub body: String,
    pub parts: Option<i32>,
    pub cost: Option<Money>,
    pub rule: Option<(TextRuleId, String)>,
    pub call: Option<CallId>,
    /// STOP, START or HELP when that was said.
    pub keyword: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextList {
    pub page: Page<TextRow>,
    /// Rules and numbers to narrow by.
    pub rules: Vec<(String, String)>,
    pub numbers: Vec<NumberChoice>,
    /// Numbers whose answers do not come here, and why.
    pub silent: Vec<(String, String)>,
}

/// A number to send from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberChoice {
    pub id: NumberId,
    pub number: String,
}

/// Messages with one contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextThread {
    pub contact: ContactId,
    pub name: String,
    pub phone: String,
    pub client: String,
    pub page: Page<TextRow>,
    pub numbers: Vec<NumberChoice>,
    /// Why nobody may write to this contact. None: somebody may.
    pub refused: Option<String>,
    pub may_send: bool,
    /// Names the message that is written next, so that a second press sends no second one.
    pub key: TextMessageId,
}

/// What the list of rules is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub client: Option<String>,
    /// `on` or `off`.
    pub state: Option<String>,
    /// `-name`: from Z to A.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One rule, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleRow {
    pub id: TextRuleId,
    pub name: String,
    pub client_id: ClientId,
    pub client: String,
    pub outcomes: Vec<RuleOutcome>,
    pub enabled: bool,
    /// None: the number of the call.
    pub number: Option<String>,
    pub delay_minutes: i32,
    /// `08:00` to `20:00`; both alike: at any time.
    pub hours: (String, String),
    pub template: String,
    pub last: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleList {
    pub page: Page<RuleRow>,
    pub may_edit: bool,
}

/// A rule's page, or the form of a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulePage {
    /// None: it is not saved yet.
    pub row: Option<RuleRow>,
    pub form: RuleForm,
    pub clients: Vec<(String, String)>,
    pub numbers: Vec<NumberChoice>,
    /// Contacts of the rule's client to see the message for.
    pub contacts: Vec<(String, String)>,
    pub preview: Option<TextPreview>,
    pub may_edit: bool,
}

/// A rule's message as one contact would get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextPreview {
    pub contact: String,
    /// Errors: which values are missing.
    pub text: Result<String, String>,
    pub length: Option<Length>,
}
