pub mod config;
mod form;
mod languages;
mod settings;
mod template;

use serde::{Deserialize, Serialize};

pub use config::{AgentConfig, AtVoicemail, Memory, OpeningKind, Silence, SilenceEnds};
pub use form::{AgentFields, AgentForm, PromptWish};
pub use languages::LANGUAGES;
pub use settings::{AgentSettings, FieldChange, Names, changes, memory_text, silence_text};
pub use template::{
    AgentTemplate, ChangedWhere, GiveForm, LONGEST_NAME, MOST_TEMPLATES, NewTemplatePage, PROMPT, TakeForm,
    TemplateAgent, TemplateChange, TemplateForm, TemplateMark, TemplatePage, TemplatePart, TemplateQuery, TemplateRow,
    TemplateText, TemplateVersionRow, compare, is_behind, take_field, template_changes, template_fields,
};

use patchbay_prompts::model::PromptChoice;
use patchbay_shared::ids::{AgentId, AgentMappingId, ClientId, NumberId, PromptId};
use patchbay_shared::{Page, Stamp, Tone};

patchbay_shared::words! {
    /// Whether an agent takes calls.
    pub AgentStatus: "agent_status" {
        Draft = "draft", "Draft", Mute;
        Active = "active", "Active", Ok;
        Paused = "paused", "Paused", Warn;
    }
    /// Who speaks first in a call.
    pub FirstSpeaker: "text" {
        Agent = "agent", "The agent", Mute;
        User = "user", "The other person", Mute;
    }
    /// Whether the voice service holds what was saved here.
    pub SyncState: "text" {
        Synced = "synced", "In sync", Ok;
        Waiting = "waiting", "Being sent to Ultravox", Info;
        Failing = "failing", "Not sent to Ultravox", Bad;
        Differs = "differs", "Differs at Ultravox", Warn;
        Nothing = "nothing", "Not at Ultravox yet", Mute;
    }
}

patchbay_shared::words! {
    /// Who called: the agent, or somebody who was answered by it.
    pub CallDirection: "call_direction" {
        Inbound = "inbound", "Inbound", Mute;
        Outbound = "outbound", "Outbound", Mute;
    }
}

/// The name of a language; its code when it is not in the list.
pub fn language_name(code: &str) -> String {
    LANGUAGES.iter().find(|(known, _)| *known == code).map_or_else(|| code.to_owned(), |(_, name)| (*name).to_owned())
}

/// The speech model for new agents.
pub const USUAL_MODEL: &str = "ultravox-v0.7";

/// What the list is narrowed to. `status`: a status, `inactive` for deactivated ones, `deleted` for deleted ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub status: Option<String>,
    pub client: Option<String>,
    pub language: Option<String>,
    /// Agents that were made of this template.
    pub template: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    pub status: AgentStatus,
    pub is_active: bool,
    pub is_deleted: bool,
    /// None: the whole agency.
    pub client: Option<String>,
    /// This and what follows is empty for a client's people: see `Field::AgentMakeup`.
    pub language: String,
    pub llm_model: String,
    pub prompt: Option<String>,
    /// The prompt's version in production.
    pub prompt_version: Option<i32>,
    pub sync: SyncState,
    /// There are changes that are not published.
    pub has_draft: bool,
    pub tags: Vec<String>,
    pub updated: Stamp,
}

/// A client for a picker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientChoice {
    pub id: ClientId,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentList {
    pub page: Page<AgentRow>,
    pub clients: Vec<ClientChoice>,
    /// For the filter: id and name.
    pub templates: Vec<(String, String)>,
    pub may_edit: bool,
}

/// An agent's copy at the voice service for one client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MappingRow {
    pub id: AgentMappingId,
    pub client_id: ClientId,
    pub client: String,
    pub provider_agent_id: Option<String>,
    pub prompt_version: Option<i32>,
    pub sync: SyncState,
    pub error: Option<String>,
    pub direction: CallDirection,
    /// What is different there from what was sent: before is ours, after is theirs.
    pub drift: Vec<FieldChange>,
    /// When it was last looked at there.
    pub compared: Option<Stamp>,
}

/// Changes that are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftView {
    pub settings: AgentSettings,
    /// Against what is published.
    pub changes: Vec<FieldChange>,
    /// None: somebody whose account is gone.
    pub author: Option<String>,
    pub saved: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentNumber {
    pub id: NumberId,
    pub number: String,
}

/// The prompt of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentPrompt {
    pub id: PromptId,
    pub name: String,
    /// The newest version and its text.
    pub version: i32,
    pub template: String,
    /// The version that the agent speaks with.
    pub spoken: i32,
    pub variables: Vec<String>,
}

/// Everything on an agent's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentPage {
    pub id: AgentId,
    pub name: String,
    pub description: String,
    pub status: AgentStatus,
    pub is_active: bool,
    pub is_deleted: bool,
    pub client_id: Option<ClientId>,
    pub client: Option<String>,
    pub language: String,
    pub llm_model: String,
    pub tags: Vec<String>,
    /// This and what stands above is published: calls use it.
    pub config: AgentConfig,
    /// The published version, and the draft beside it.
    pub version: i32,
    pub draft: Option<DraftView>,
    /// The published settings, for the form.
    pub settings: AgentSettings,
    /// What a form shows that started from here: sent back, it tells whether somebody has saved meanwhile.
    pub base: String,
    pub prompt: Option<AgentPrompt>,
    /// None: it was made without one.
    pub template: Option<AgentTemplate>,
    pub mappings: Vec<MappingRow>,
    pub numbers: Vec<AgentNumber>,
    pub campaigns: AgentCampaigns,
    pub sync: SyncState,
    pub updated: Stamp,
    pub may_edit: bool,
    pub may_delete: bool,
}

/// The campaigns that an agent calls for, archived ones left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentCampaigns {
    /// Id, name and state of the newest few.
    pub newest: Vec<(String, String, String)>,
    /// All of them.
    pub count: i64,
    /// Batches of theirs that are not over: id and name.
    pub open_batches: Vec<(String, String)>,
}

impl AgentPage {
    /// What is missing before the agent may be activated.
    pub fn missing(&self) -> Option<&'static str> {
        match &self.prompt {
            None if self.draft.as_ref().is_some_and(|draft| draft.settings.prompt_id.is_some()) => {
                Some("Publish the draft first: it holds the prompt.")
            }
            None => Some("Choose or write a prompt first."),
            _ if self.mappings.is_empty() => Some("Add a client first: an agent works for at least one."),
            _ => None,
        }
    }
}

/// What the form offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentChoices {
    pub clients: Vec<ClientChoice>,
    pub prompts: Vec<PromptChoice>,
}

/// A version that was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentVersionRow {
    pub version: i32,
    pub note: String,
    pub author: Option<String>,
    /// Labels of what it changed.
    pub changed: Vec<String>,
    pub at: Stamp,
    pub is_published: bool,
}

/// What the versions are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionQuery {
    /// Words of the note.
    #[serde(alias = "q")]
    pub words: Option<String>,
    /// A version to compare with the published one.
    pub version: Option<String>,
    /// `version`: the oldest first; else the newest.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// The page of an agent's versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentVersions {
    pub id: AgentId,
    pub name: String,
    pub client: Option<String>,
    pub page: Page<AgentVersionRow>,
    /// The version that was asked for, and what publishing it again would change.
    pub compared: Option<(i32, Vec<FieldChange>)>,
    pub published: i32,
    pub may_edit: bool,
}

/// An agent that the voice service has and Patchbay does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptableRow {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdoptableQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub cursor: Option<String>,
}

/// One page of them, as the service pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptableList {
    pub rows: Vec<AdoptableRow>,
    pub next: Option<String>,
    /// Why there is nothing.
    pub note: Option<String>,
}

/// One of them, to be adopted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adoptable {
    pub id: String,
    pub settings: AgentSettings,
    pub prompt: String,
    pub tools: Vec<String>,
    /// What else is set there, in the service's words.
    pub others: Vec<String>,
    pub clients: Vec<ClientChoice>,
}

/// How a mapping stands, from what is stored about it.
pub fn sync_state(is_there: bool, is_current: bool, has_error: bool, has_drift: bool) -> SyncState {
    match (has_error, is_there, is_current) {
        (true, ..) => SyncState::Failing,
        (false, true, true) if has_drift => SyncState::Differs,
        (false, true, true) => SyncState::Synced,
        _ => SyncState::Waiting,
    }
}

/// The state to show for several mappings: the worst.
pub fn worst(states: impl IntoIterator<Item = SyncState>) -> SyncState {
    let rank = |state: &SyncState| match state.tone() {
        Tone::Bad => 4,
        Tone::Warn => 3,
        Tone::Info => 2,
        Tone::Ok => 1,
        _ => 0,
    };
    states.into_iter().max_by_key(rank).unwrap_or(SyncState::Nothing)
}
