//! What an agent is made of, as a draft or a version keeps it, and how two of them differ.

use serde::{Deserialize, Serialize};

use super::config::{AgentConfig, seconds_text};
use super::{CallDirection, TemplateMark, language_name};
use patchbay_shared::ids::{ClientId, PromptId};

/// What a draft changes and a version keeps. Whether the agent takes calls is no part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSettings {
    pub name: String,
    pub description: String,
    /// None: every client of the agency.
    pub client_id: Option<ClientId>,
    pub language: String,
    pub llm_model: String,
    pub prompt_id: Option<PromptId>,
    pub direction: CallDirection,
    pub tags: Vec<String>,
    pub config: AgentConfig,
    /// The version of a template that they follow.
    pub template: Option<TemplateMark>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            client_id: None,
            language: "en".into(),
            llm_model: super::USUAL_MODEL.into(),
            prompt_id: None,
            direction: CallDirection::Outbound,
            tags: Vec::new(),
            config: AgentConfig::default(),
            template: None,
        }
    }
}

/// Names of what settings hold by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub clients: Vec<(ClientId, String)>,
    pub prompts: Vec<(PromptId, String)>,
}

/// A field in which two settings differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Which one; `voice` holds ids of voices, whose names the voice service knows.
    pub key: String,
    pub label: String,
    pub before: String,
    pub after: String,
}

impl FieldChange {
    pub fn new(key: &str, label: &str, before: String, after: String) -> Self {
        Self { key: key.to_owned(), label: label.to_owned(), before, after }
    }
}

/// Field by field, in the order of the form.
pub fn changes(before: &AgentSettings, after: &AgentSettings, names: &Names) -> Vec<FieldChange> {
    let (before, after) = (lines(before, names), lines(after, names));
    before
        .into_iter()
        .zip(after)
        .filter(|((.., old), (.., new))| old != new)
        .map(|((key, label, old), (.., new))| FieldChange::new(key, label, old, new))
        .collect()
}

/// Key, label and value of each field.
pub(super) fn lines(settings: &AgentSettings, names: &Names) -> Vec<(&'static str, &'static str, String)> {
    let AgentSettings {
        name,
        description,
        client_id,
        language,
        llm_model,
        prompt_id,
        direction,
        tags,
        config,
        template,
    } = settings;
    let known = |found: Option<&String>| found.cloned().unwrap_or_else(|| "No longer there".into());
    let client = client_id.map_or_else(
        || "Whole agency".to_owned(),
        |id| known(names.clients.iter().find(|(known, _)| *known == id).map(|(_, name)| name)),
    );
    let prompt = prompt_id.map_or_else(
        || "None".to_owned(),
        |id| known(names.prompts.iter().find(|(known, _)| *known == id).map(|(_, name)| name)),
    );
    let followed = template.map_or_else(|| "None".to_owned(), |template| format!("Version {}", template.version));
    let yes = |is: bool| if is { "Yes" } else { "No" }.to_owned();
    let silences: Vec<String> = config.silences.iter().map(silence_text).collect();
    let memory = match config.memory.is_on() {
        true => memory_text(&config.memory),
        false => "Nothing".to_owned(),
    };
    vec![
        ("name", "Name", name.clone()),
        ("client_id", "Client", client),
        ("tags", "Tags", tags.join(", ")),
        ("direction", "Usual direction of calls", direction.label().to_owned()),
        ("description", "Description", description.clone()),
        ("prompt_id", "Prompt", prompt),
        ("language", "Language", language_name(language)),
        ("llm_model", "Model", llm_model.clone()),
        ("voice", "Voice", config.voice.clone()),
        ("temperature", "Temperature", config.temperature.to_string()),
        ("first_speaker", "Speaks first", config.first_speaker.label().to_owned()),
        ("greeting", "Opening", config.greeting.clone()),
        ("opening", "How the opening is said", config.opening.label().to_owned()),
        ("uninterruptible", "Nobody can break in on the opening", yes(config.uninterruptible)),
        ("greeting_delay", "Wait before the opening", seconds_text(config.greeting_delay)),
        ("silence", "Speaks anyway after", seconds_text(config.silence)),
        ("join_seconds", "Time to answer", seconds_text(config.join_seconds.into())),
        ("max_minutes", "Longest call", format!("{} min", config.max_minutes)),
        ("time_up", "Said when the time is over", config.time_up.clone()),
        ("silences", "When nobody speaks", silences.join("\n")),
        ("voicemail", "At a mailbox", config.voicemail.label().to_owned()),
        ("voicemail_message", "Message for mailboxes", config.voicemail_message.clone()),
        ("screener", "At a call screener", config.screener.clone()),
        ("memory", "Told of earlier calls", memory),
        ("recording", "Recording", yes(config.is_recorded)),
        ("template", "Follows the template", followed),
    ]
}

/// `After 20 s: “Are you there?” The call goes on.`
pub fn silence_text(silence: &super::config::Silence) -> String {
    format!("After {} s: “{}” {}.", silence.after, silence.says, silence.ends.label())
}

/// `The newest 3 of the last 90 days, at most 400 tokens`.
pub fn memory_text(memory: &super::config::Memory) -> String {
    format!("The newest {} of the last {} days, at most {} tokens", memory.calls, memory.days, memory.tokens)
}

#[cfg(test)]
mod tests;
