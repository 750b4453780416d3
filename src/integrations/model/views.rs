use serde::{Deserialize, Serialize};

use super::{Direction, FieldMap, IntegrationType, PendingRow, SyncRow};
use patchbay_connections::model::{Connection, IntegrationStatus, Mode};
use patchbay_shared::ids::{IntegrationId, SyncId};
use patchbay_shared::{Page, Stamp};

/// Failed records, and syncs, that an integration's own page shows.
pub const FIRST: usize = 5;

patchbay_shared::words! {
    /// How far a sync goes.
    pub Reach: "text" {
        Changes = "changes", "Changes", Mute;
        Everything = "everything", "Everything", Mute;
        Retry = "retry", "Failed ones again", Mute;
    }
    /// What was done with a record.
    pub RecordAction: "text" {
        Read = "read", "Read", Mute;
        Write = "write", "Written", Mute;
        Remove = "remove", "Gone there", Mute;
        Merge = "merge", "Merged there", Mute;
        Flag = "flag", "Do not call", Mute;
    }
    /// How that went.
    pub RecordResult: "text" {
        Done = "done", "Done", Ok;
        Skipped = "skipped", "Skipped", Mute;
        Failed = "failed", "Failed", Bad;
    }
    /// Which way a record or message goes.
    pub Way: "text" {
        Read = "read", "Read", Mute;
        Write = "write", "Write", Mute;
    }
    /// Which way a message went.
    pub MessageWay: "text" {
        Out = "out", "Sent", Mute;
        In = "in", "Received", Mute;
    }
    /// What became of a message.
    pub MessageState: "text" {
        Waiting = "waiting", "Waiting", Info;
        Sent = "sent", "Sent", Ok;
        Failed = "failed", "Failed", Bad;
        Taken = "taken", "Taken", Ok;
        Refused = "refused", "Refused", Warn;
    }
    /// How an integration stands, in one word.
    pub Standing: "text" {
        Works = "works", "Connected", Ok;
        Paused = "paused", "Paused", Mute;
        Unconnected = "unconnected", "Not connected", Mute;
        Failing = "failing", "Failing", Bad;
    }
}

impl Standing {
    pub fn of(status: IntegrationStatus, is_paused: bool) -> Self {
        match (status, is_paused) {
            (IntegrationStatus::Active, _) => Standing::Works,
            (IntegrationStatus::Error, _) => Standing::Failing,
            (IntegrationStatus::Inactive, true) => Standing::Paused,
            (IntegrationStatus::Inactive, false) => Standing::Unconnected,
        }
    }
}

/// What the list of integrations is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntegrationQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub kind: Option<String>,
    pub state: Option<String>,
    pub client: Option<String>,
    /// `-name`: from Z to A.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// What lists below an integration are narrowed to; each uses some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BelowQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub state: Option<String>,
    pub kind: Option<String>,
    pub action: Option<String>,
    pub remedy: Option<String>,
    pub way: Option<String>,
    /// `started` and the like: the oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One integration, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationRow {
    pub id: IntegrationId,
    pub kind: IntegrationType,
    pub name: String,
    pub client: Option<String>,
    pub mode: Mode,
    pub account: Option<String>,
    pub standing: Standing,
    pub problem: Option<String>,
    pub last_sync: Option<Stamp>,
    /// What is still to be exchanged.
    pub waits: i64,
    /// What needs a person.
    pub failed: i64,
}

/// The page of everything that is connected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationsPage {
    /// Accounts for voice, telephone and models, those that were never connected included. A client's people read none.
    pub connections: Vec<Connection>,
    pub page: Page<IntegrationRow>,
}

/// The head of every page of an integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationHead {
    pub id: IntegrationId,
    pub kind: IntegrationType,
    pub name: String,
    /// Id and name; none: of the agency itself.
    pub client: Option<(String, String)>,
    pub mode: Mode,
    pub account: Option<String>,
    pub account_id: Option<String>,
    pub account_user: Option<String>,
    pub standing: Standing,
    pub problem: Option<String>,
    pub problem_at: Option<Stamp>,
    pub last_sync: Option<Stamp>,
    pub next_sync: Option<Stamp>,
    pub set_up_by: Option<String>,
    /// Somebody has signed in there, or typed a key.
    pub is_connected: bool,
    /// The running sync.
    pub running: Option<SyncId>,
    /// Fields of the mapping that are exchanged.
    pub mapped: i64,
    pub syncs: i64,
    pub failed: i64,
    /// Contacts, deals and flags; call results.
    pub waits: (i64, i64),
    pub may_manage: bool,
    /// Sign in, disconnect.
    pub may_sign_in: bool,
}

/// What was exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncFigures {
    /// Contacts here that have a partner there that still exists.
    pub in_step: i64,
    /// Contacts there, as the service said last.
    pub there: Option<i64>,
    pub read: i64,
    pub written: i64,
    pub skipped: i64,
    pub call_results: i64,
    pub flags: i64,
}

/// A line of the mapping as the page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingLine {
    pub map: FieldMap,
    pub sample: Option<String>,
    pub rule: String,
}

/// The sign-in at the other side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInView {
    pub kind: super::TokenType,
    pub is_good: bool,
    pub until: Option<Stamp>,
    pub by: String,
    pub since: Stamp,
    pub renewed: Option<Stamp>,
    pub scopes: Vec<String>,
    pub key: String,
}

/// What the service said last about its limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitView {
    /// What is counted, how much is used, of how much.
    pub lines: Vec<(String, i64, i64)>,
    pub at: Option<Stamp>,
    /// Nothing is asked before.
    pub wait_until: Option<Stamp>,
}

/// An integration's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationPage {
    pub head: IntegrationHead,
    pub figures: SyncFigures,
    pub mapping: Vec<MappingLine>,
    /// Whose values the samples are.
    pub sample_of: Option<String>,
    pub syncs: Vec<SyncRow>,
    pub failed: Vec<PendingRow>,
    /// None: the viewer does not see it, or nobody has signed in.
    pub sign_in: Option<SignInView>,
    pub limit: Option<LimitView>,
    pub settings: super::CrmSettings,
    /// Of an account at a carrier: how the voice service gets on with it.
    pub carrier: Option<super::CarrierView>,
}

/// A property that a record of the other side may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyView {
    pub name: String,
    pub label: String,
    /// `text`, `number`, `date`, `datetime`, `bool`, `list` or `other`.
    pub kind: String,
    /// The service's value and its label.
    pub options: Vec<(String, String)>,
    pub read_only: bool,
}

/// The editor of the mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingPage {
    pub head: IntegrationHead,
    pub mapping: Vec<MappingLine>,
    /// Of contacts there. Empty with a reason when the service could not be asked.
    pub properties: Vec<PropertyView>,
    pub note: Option<String>,
}

/// What would happen to some records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    pub rows: Vec<PreviewRow>,
    /// Contacts there in all, when the service says so.
    pub total: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewRow {
    pub name: String,
    pub outcome: String,
    pub is_ok: bool,
    /// Our field, what is here, what would be here.
    pub fields: Vec<(String, String, String)>,
}

/// The preview on its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewPage {
    pub head: IntegrationHead,
    pub preview: Preview,
}

/// What the way to a new integration begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectPage {
    pub kind: IntegrationType,
    /// The stand-ins run here.
    pub has_sandbox: bool,
    /// What the agency types at the service as the address that it leads back to.
    pub callback: String,
}

/// Where one signs in at the service, for whoever has just asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInPage {
    pub head: IntegrationHead,
    /// None: it was asked for too long ago, or in another browser.
    pub address: Option<String>,
}

/// The settings of an integration, by its type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsPage {
    pub head: IntegrationHead,
    pub crm: super::CrmSettings,
    pub slack: Option<SlackSettings>,
    pub custom: Option<CustomSettings>,
    pub notices: Option<NoticesView>,
    /// How a message by hand went, this once.
    pub tried: Option<super::Tried>,
}

/// What a CRM tells by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticesView {
    /// Where it is sent.
    pub address: String,
    /// When the last one came.
    pub came: Option<Stamp>,
    /// When one was refused last, and why.
    pub refused: Option<(Stamp, String)>,
}

/// Where messages of a Slack go, and about what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlackSettings {
    pub form: super::SlackForm,
    /// It has one channel of its own.
    pub by_webhook: bool,
    pub channels: Vec<super::SlackChannel>,
    /// Why the channels could not be read.
    pub note: Option<String>,
    /// None: the viewer may not sign in.
    pub app: Option<SlackApp>,
}

/// What the agency's own app at Slack needs, and whether it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlackApp {
    /// The address that Slack leads back to.
    pub callback: String,
    pub scopes: Vec<String>,
    /// Its id and secret were typed before.
    pub is_known: bool,
}

/// How a system of the agency's own is spoken to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomSettings {
    pub form: super::CustomForm,
    /// Where it sends what comes in.
    pub intake: String,
    pub has_key: bool,
    pub has_incoming_secret: bool,
}

impl IntegrationType {
    /// People and call results are kept in step.
    pub fn is_crm(self) -> bool {
        matches!(self, Self::Hubspot | Self::Zoho)
    }

    /// It carries calls.
    pub fn is_carrier(self) -> bool {
        matches!(self, Self::Twilio | Self::Plivo)
    }

    /// It is told of events one by one.
    pub fn takes_messages(self) -> bool {
        matches!(self, Self::Slack | Self::CustomApi)
    }

    /// What it is for.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Hubspot => "Contacts, deals and activities of one client, both ways",
            Self::Zoho => "Contacts, deals and activities of one client, both ways",
            Self::Twilio => "Phone numbers and calls through your Twilio account",
            Self::Plivo => "Phone numbers and calls through your Plivo account",
            Self::Slack => "A message in a channel when something happens",
            Self::CustomApi => "Signed requests to any system, and from it",
        }
    }

    /// The part of the gallery in which it stands.
    pub fn part(self) -> &'static str {
        match self {
            Self::Hubspot | Self::Zoho => "CRM",
            Self::Twilio | Self::Plivo => "Telephone",
            Self::Slack => "Messages",
            Self::CustomApi => "Your own systems",
        }
    }
}

impl Direction {
    /// The arrow between our field, on the left, and theirs.
    pub fn icon(self) -> &'static str {
        match self {
            Self::In => "arrow-left",
            Self::Out => "arrow-right",
            Self::Both => "arrow-left-right",
            Self::Kept => "minus",
        }
    }
}

impl FieldMap {
    /// What belongs to a call and not to a contact.
    pub fn is_of_call(&self) -> bool {
        is_of_call(&self.ours)
    }
}

/// Whether this field of ours is one of a call's result.
pub fn is_of_call(ours: &str) -> bool {
    matches!(ours, "outcome" | "summary" | "callback_at" | "goal" | "score") || ours.starts_with("answer:")
}

/// What a field of ours is called on pages.
pub fn field_label(ours: &str) -> String {
    match ours {
        "name" => "Name".to_owned(),
        "phone" => "Phone".to_owned(),
        "email" => "E-mail".to_owned(),
        "company" => "Company".to_owned(),
        "do_not_call" => "Do not call".to_owned(),
        "outcome" => "Outcome".to_owned(),
        "summary" => "Summary and link".to_owned(),
        "callback_at" => "Call back at".to_owned(),
        "goal" => "Goal reached".to_owned(),
        "score" => "Score".to_owned(),
        other => {
            let own = other.split_once(':').map_or(other, |(_, own)| own);
            let mut letters = own.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
            format!("{first}{}", letters.as_str()).replace('_', " ")
        }
    }
}
