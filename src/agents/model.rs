mod languages;

use serde::{Deserialize, Serialize};

pub use languages::LANGUAGES;

use patchbay_prompts::model::PromptChoice;
use patchbay_prompts::model::{check_template, parse_tags};
use patchbay_shared::ids::{AgentId, AgentMappingId, ClientId, NumberId, PromptId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp, Tone};

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

/// How an agent speaks and how long: `agents.config`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentConfig {
    /// A voice's id at the voice service; empty: the service's usual one.
    pub voice: String,
    /// 0 to 1.
    pub temperature: f64,
    pub first_speaker: FirstSpeaker,
    /// What is said first, word for word; empty: the agent finds its own words.
    pub greeting: String,
    /// Whole minutes.
    pub max_minutes: u32,
    pub is_recorded: bool,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            voice: String::new(),
            temperature: 0.3,
            first_speaker: FirstSpeaker::Agent,
            greeting: String::new(),
            max_minutes: 10,
            is_recorded: true,
        }
    }
}

/// What the list is narrowed to. `status`: a status, `inactive` for deleted ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub status: Option<String>,
    pub client: Option<String>,
    pub language: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    pub status: AgentStatus,
    pub is_active: bool,
    /// None: the whole agency.
    pub client: Option<String>,
    /// This and what follows is empty for a client's people: see `Field::AgentMakeup`.
    pub language: String,
    pub llm_model: String,
    pub prompt: Option<String>,
    /// The prompt's version in production.
    pub prompt_version: Option<i32>,
    pub sync: SyncState,
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
    pub direction: crate::model::CallDirection,
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
    pub production: Option<i32>,
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
    pub client_id: Option<ClientId>,
    pub client: Option<String>,
    pub language: String,
    pub llm_model: String,
    pub tags: Vec<String>,
    pub config: AgentConfig,
    pub prompt: Option<AgentPrompt>,
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
            None => Some("Choose or write a prompt first."),
            Some(prompt) if prompt.production.is_none() => Some("Put a version of the prompt into production first."),
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

/// The agent's form, as posted. Without an id it makes a new agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentForm {
    pub id: String,
    pub name: String,
    pub description: String,
    /// A client's id; empty: the whole agency.
    pub client_id: String,
    pub language: String,
    pub llm_model: String,
    pub voice: String,
    pub temperature: String,
    pub first_speaker: String,
    pub greeting: String,
    pub max_minutes: String,
    pub recording: Option<String>,
    pub direction: String,
    pub tags: String,
    /// A prompt's id; empty: `template` becomes a new prompt.
    pub prompt_id: String,
    /// The prompt and version that `template` started from.
    pub base_prompt: String,
    pub base_version: String,
    pub template: String,
    /// Ticked after somebody else has saved the prompt meanwhile: save this text after theirs.
    pub overwrite: Option<String>,
}

/// Which prompt a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptWish {
    None,
    Use(PromptId),
    /// The agent's own prompt with this text, started from this version; with `overwrite` also if others came meanwhile.
    Change {
        id: PromptId,
        base: String,
        template: String,
        overwrite: bool,
    },
    Write(String),
}

/// An agent's fields, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentFields {
    pub name: String,
    pub description: String,
    pub client_id: Option<ClientId>,
    pub language: String,
    pub llm_model: String,
    pub tags: Vec<String>,
    pub config: AgentConfig,
    pub direction: crate::model::CallDirection,
    pub prompt: PromptWish,
}

impl AgentForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<AgentFields, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 64 {
            errors.add("name", "Give the agent a name of at most 64 characters.");
        }
        if self.description.chars().count() > 1000 {
            errors.add("description", "Keep the description below 1,000 characters.");
        }
        let language = self.language.trim();
        if !LANGUAGES.iter().any(|(code, _)| *code == language) {
            errors.add("language", "Choose a language.");
        }
        let llm_model = self.llm_model.trim();
        if llm_model.is_empty() || llm_model.len() > 120 {
            errors.add("llm_model", "Choose a model.");
        }
        if self.voice.len() > 120 {
            errors.add("voice", "Choose a voice from the list.");
        }
        let temperature: f64 = self.temperature.trim().replace(',', ".").parse().unwrap_or(f64::NAN);
        if !(0.0..=1.0).contains(&temperature) {
            errors.add("temperature", "Enter a number from 0 (consistent) to 1 (varied).");
        }
        let first_speaker = self.first_speaker.parse().unwrap_or_else(|_| {
            errors.add("first_speaker", "Choose who speaks first.");
            FirstSpeaker::Agent
        });
        if self.greeting.chars().count() > 1000 {
            errors.add("greeting", "Keep the greeting below 1,000 characters.");
        }
        let max_minutes = self.max_minutes.trim().parse().unwrap_or(0);
        if !(1..=120).contains(&max_minutes) {
            errors.add("max_minutes", "Enter whole minutes from 1 to 120.");
        }
        let direction = self.direction.parse().unwrap_or(crate::model::CallDirection::Outbound);
        let tags = parse_tags(&self.tags).unwrap_or_else(|message| {
            errors.add("tags", message);
            Vec::new()
        });
        let client_id = match self.client_id.trim() {
            "" => None,
            id => id.parse().map(Some).unwrap_or_else(|_| {
                errors.add("client_id", "Choose a client.");
                None
            }),
        };
        let prompt = self.prompt_wish(&mut errors);
        errors.check()?;
        Ok(AgentFields {
            name: name.to_owned(),
            description: self.description.trim().to_owned(),
            client_id,
            language: language.to_owned(),
            llm_model: llm_model.to_owned(),
            tags,
            config: AgentConfig {
                voice: self.voice.trim().to_owned(),
                temperature,
                first_speaker,
                greeting: self.greeting.trim().replace("\r\n", "\n"),
                max_minutes,
                is_recorded: self.recording.is_some(),
            },
            direction,
            prompt,
        })
    }

    fn prompt_wish(&self, errors: &mut FieldErrors) -> PromptWish {
        let template = self.template.replace("\r\n", "\n");
        let has_text = !template.trim().is_empty();
        let (chosen, base) = (self.prompt_id.trim(), self.base_prompt.trim());
        if chosen.is_empty() && !has_text {
            return PromptWish::None;
        }
        // The text belongs to the prompt that the page showed. With another prompt chosen it is not meant.
        // A program that names a prompt and sends no text uses it as it is; a page shows the text, and an empty one is a mistake.
        if !chosen.is_empty() && (chosen != base || (base.is_empty() && !has_text)) {
            return chosen.parse().map(PromptWish::Use).unwrap_or_else(|_| {
                errors.add("prompt_id", "Choose a prompt.");
                PromptWish::None
            });
        }
        if let Err(message) = check_template(&template) {
            errors.add("template", message);
        }
        match chosen.parse() {
            Ok(id) => {
                let base = self.base_version.trim().to_owned();
                PromptWish::Change { id, base, template, overwrite: self.overwrite.is_some() }
            }
            Err(_) => PromptWish::Write(template),
        }
    }
}

/// How a mapping stands, from what is stored about it.
pub fn sync_state(is_there: bool, is_current: bool, has_error: bool) -> SyncState {
    match (has_error, is_there, is_current) {
        (true, ..) => SyncState::Failing,
        (false, true, true) => SyncState::Synced,
        _ => SyncState::Waiting,
    }
}

/// The state to show for several mappings: the worst.
pub fn worst(states: impl IntoIterator<Item = SyncState>) -> SyncState {
    let rank = |state: &SyncState| match state.tone() {
        Tone::Bad => 3,
        Tone::Info => 2,
        Tone::Ok => 1,
        _ => 0,
    };
    states.into_iter().max_by_key(rank).unwrap_or(SyncState::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> AgentForm {
        AgentForm {
            name: "Booking desk".into(),
            language: "de".into(),
            llm_model: USUAL_MODEL.into(),
            temperature: "0,4".into(),
            first_speaker: "agent".into(),
            max_minutes: "10".into(),
            ..AgentForm::default()
        }
    }

    #[test]
    fn the_text_belongs_to_the_prompt_it_was_shown_for() {
        let id = PromptId(uuid::Uuid::from_u128(7));
        let other = PromptId(uuid::Uuid::from_u128(8));
        let text = |prompt: &str, base: &str| AgentForm {
            prompt_id: prompt.into(),
            base_prompt: base.into(),
            base_version: "3".into(),
            template: "You are Sam.\r\nBe brief.".into(),
            ..filled()
        };
        let template = "You are Sam.\nBe brief.".to_owned();
        assert_eq!(text("", "").check().unwrap().prompt, PromptWish::Write(template.clone()));
        assert_eq!(text(&other.to_string(), &id.to_string()).check().unwrap().prompt, PromptWish::Use(other));
        let own = text(&id.to_string(), &id.to_string()).check().unwrap().prompt;
        assert_eq!(own, PromptWish::Change { id, base: "3".into(), template, overwrite: false });
        assert_eq!(filled().check().unwrap().prompt, PromptWish::None);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let form = AgentForm {
            temperature: "2".into(),
            max_minutes: "0".into(),
            language: "xx".into(),
            name: " ".into(),
            ..filled()
        };
        let AppError::Invalid(errors) = form.check().unwrap_err() else { panic!("not about fields") };
        let fields: Vec<&str> = errors.0.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["name", "language", "temperature", "max_minutes"]);
    }
}
