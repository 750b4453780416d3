//! Templates of agents: what a version of one keeps, and how an agent that was made of it stands to a newer version.

use serde::{Deserialize, Serialize};

use super::config::AtVoicemail;
use super::settings::{AgentSettings, FieldChange, Names, lines};
use super::{AgentConfig, ClientChoice};
use patchbay_shared::ids::{AgentId, AgentTemplateId, AgentToolId, PromptId, SkillId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

/// The most templates of one agency, archived ones left out.
pub const MOST_TEMPLATES: i64 = 300;
/// The longest name of a template and of an agent, and the longest note of a version.
pub const LONGEST_NAME: usize = 64;
const LONGEST_NOTE: usize = 300;
/// The field that stands for the text of the prompt.
pub const PROMPT: &str = "prompt";
/// Fields that are each agent's own.
const OWN: [&str; 4] = ["name", "client_id", "prompt_id", "template"];

/// The template that an agent's settings follow, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMark {
    pub id: AgentTemplateId,
    pub version: i32,
}

/// What a version of a template keeps: settings without client and prompt, the prompt's words, and names of tools and skills.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TemplateText {
    pub settings: AgentSettings,
    pub prompt: String,
    pub tools: Vec<(AgentToolId, String)>,
    pub skills: Vec<(SkillId, String)>,
}

patchbay_shared::words! {
    /// Who has changed a field since the agent was brought to its template's version.
    pub ChangedWhere: "text" {
        There = "there", "Changed in the template", Info;
        Both = "both", "Changed in both", Warn;
        Here = "here", "Changed here", Mute;
    }
}

/// A field in which an agent and the newest version of its template differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateChange {
    pub key: String,
    pub label: String,
    pub place: ChangedWhere,
    /// In the version that the agent follows, in the newest one, and here.
    pub was: String,
    pub there: String,
    pub here: String,
}

/// An agent beside its template: `was` is the version that it follows, `there` the newest one. A field in which both agree is left out,
/// whoever changed it.
pub fn compare(
    was: &TemplateText,
    there: &TemplateText,
    here: &AgentSettings,
    prompt: Option<&str>,
) -> Vec<TemplateChange> {
    let names = Names::default();
    let columns = [&was.settings, &there.settings, here].map(|settings| lines(settings, &names));
    let [first, second, third] = columns;
    let fields = first.into_iter().zip(second).zip(third);
    let fields = fields.map(|(((key, label, was), (.., there)), (.., here))| (key, label, was, there, here));
    let words =
        (PROMPT, "Text of the prompt", was.prompt.clone(), there.prompt.clone(), prompt.unwrap_or("").to_owned());
    fields
        .filter(|(key, ..)| !OWN.contains(key))
        .chain([words])
        .filter(|(.., there, here)| there != here)
        .map(|(key, label, was, there, here)| {
            let place = match (was == there, was == here) {
                (true, _) => ChangedWhere::Here,
                (false, true) => ChangedWhere::There,
                (false, false) => ChangedWhere::Both,
            };
            TemplateChange { key: key.to_owned(), label: label.to_owned(), place, was, there, here }
        })
        .collect()
}

/// Whether something of the template waits to be taken over.
pub fn is_behind(changes: &[TemplateChange]) -> bool {
    changes.iter().any(|change| change.place != ChangedWhere::Here)
}

/// Puts one field of a template into an agent's settings. The prompt's text is no part of them. False: there is no such field.
pub fn take_field(settings: &mut AgentSettings, from: &AgentSettings, key: &str) -> bool {
    let (to, config): (&mut AgentConfig, &AgentConfig) = (&mut settings.config, &from.config);
    match key {
        "voice" => to.voice.clone_from(&config.voice),
        "temperature" => to.temperature = config.temperature,
        "first_speaker" => to.first_speaker = config.first_speaker,
        "greeting" => to.greeting.clone_from(&config.greeting),
        "opening" => to.opening = config.opening,
        "uninterruptible" => to.uninterruptible = config.uninterruptible,
        "greeting_delay" => to.greeting_delay = config.greeting_delay,
        "silence" => to.silence = config.silence,
        "join_seconds" => to.join_seconds = config.join_seconds,
        "max_minutes" => to.max_minutes = config.max_minutes,
        "time_up" => to.time_up.clone_from(&config.time_up),
        "silences" => to.silences.clone_from(&config.silences),
        "voicemail" | "voicemail_message" => {
            let mut both = to.clone();
            match key {
                "voicemail" => both.voicemail = config.voicemail,
                _ => both.voicemail_message.clone_from(&config.voicemail_message),
            }
            // A message is left only where there is one: then the two belong together.
            if both.voicemail == AtVoicemail::Message && both.voicemail_message.is_empty() {
                both.voicemail = config.voicemail;
                both.voicemail_message.clone_from(&config.voicemail_message);
            }
            *to = both;
        }
        "screener" => to.screener.clone_from(&config.screener),
        "memory" => to.memory = config.memory.clone(),
        "recording" => to.is_recorded = config.is_recorded,
        "tags" => settings.tags.clone_from(&from.tags),
        "direction" => settings.direction = from.direction,
        "description" => settings.description.clone_from(&from.description),
        "language" => settings.language.clone_from(&from.language),
        "llm_model" => settings.llm_model.clone_from(&from.llm_model),
        _ => return false,
    }
    true
}

/// What a template says of each field: key, label and value.
pub fn template_fields(settings: &AgentSettings) -> Vec<(String, String, String)> {
    let lines = lines(settings, &Names::default()).into_iter();
    let fields = lines.filter(|(key, ..)| !OWN.contains(key));
    fields.map(|(key, label, value)| (key.to_owned(), label.to_owned(), value)).collect()
}

/// How two versions of a template differ, field by field.
pub fn template_changes(before: &TemplateText, after: &TemplateText) -> Vec<FieldChange> {
    let mut changes = super::changes(&before.settings, &after.settings, &Names::default());
    let names = |all: Vec<&String>| all.into_iter().cloned().collect::<Vec<_>>().join(", ");
    let mut add = |key: &str, label: &str, before: String, after: String| {
        if before != after {
            changes.push(FieldChange::new(key, label, before, after));
        }
    };
    add(PROMPT, "Text of the prompt", before.prompt.clone(), after.prompt.clone());
    let tools = |text: &TemplateText| names(text.tools.iter().map(|(_, name)| name).collect());
    add("tools", "Tools", tools(before), tools(after));
    let skills = |text: &TemplateText| names(text.skills.iter().map(|(_, name)| name).collect());
    add("skills", "Skills", skills(before), skills(after));
    changes
}

/// What templates are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    /// `archived`, or `all`.
    pub state: Option<String>,
    /// `yes`: with agents that follow an older version; `no`: without.
    pub behind: Option<String>,
    /// `name` or `-name`.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// A template, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateRow {
    pub id: AgentTemplateId,
    pub name: String,
    pub language: String,
    pub llm_model: String,
    pub version: i32,
    pub is_active: bool,
    /// Agents that were made of it, and how many of them follow an older version.
    pub agents: i64,
    pub behind: i64,
    pub updated: Stamp,
}

/// A tool or skill of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplatePart {
    pub name: String,
    /// What keeps it from being given, or to whom it is.
    pub limits: Vec<String>,
}

/// An agent that was made of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateAgent {
    pub id: AgentId,
    pub name: String,
    pub client: Option<String>,
    pub version: i32,
}

/// A version of a template, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplateVersionRow {
    pub version: i32,
    pub note: String,
    pub author: Option<String>,
    /// Labels of what it changed.
    pub changed: Vec<String>,
    pub at: Stamp,
}

/// A template's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemplatePage {
    pub id: AgentTemplateId,
    pub name: String,
    pub version: i32,
    pub is_active: bool,
    /// The agent that the newest version was made of.
    pub source: (AgentId, String),
    /// Key, label and value.
    pub fields: Vec<(String, String, String)>,
    pub prompt: String,
    pub tools: Vec<TemplatePart>,
    pub skills: Vec<TemplatePart>,
    /// The first of its agents, and how many there are.
    pub agents: Vec<TemplateAgent>,
    pub count: i64,
    pub versions: Page<TemplateVersionRow>,
    /// The version that was asked for, and what came to be other since.
    pub compared: Option<(i32, Vec<FieldChange>)>,
    pub clients: Vec<ClientChoice>,
    /// The agent that the form makes: sent twice, it is made once.
    pub new_agent: AgentId,
    pub may_edit: bool,
}

/// What the form begins with that makes a template, or a version of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTemplatePage {
    pub agent: AgentId,
    pub name: String,
    /// Templates of which it can become a version: id, name and newest version.
    pub templates: Vec<(AgentTemplateId, String, i32)>,
    /// The one that the agent was made of, or that was made of it.
    pub into: Option<AgentTemplateId>,
    /// What is lacking.
    pub missing: Option<String>,
}

/// An agent's template, on the agent's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentTemplate {
    pub id: AgentTemplateId,
    pub name: String,
    pub is_active: bool,
    /// The version that the agent follows, its draft included, and the newest one.
    pub version: i32,
    pub newest: i32,
    pub changes: Vec<TemplateChange>,
    /// What the template has gained or lost of tools and skills.
    pub parts: Vec<String>,
    /// The version of the prompt that has the template's words, where agents say another one still.
    pub unspoken: Option<(PromptId, i32)>,
    /// What the agent was not given, and why.
    pub left_out: Vec<String>,
}

/// The form that makes a template of an agent, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateForm {
    pub agent: String,
    /// A template's id: it gets a new version. Empty: a new template.
    pub template: String,
    /// Of a new template.
    pub name: String,
    pub note: String,
}

impl TemplateForm {
    /// The name of a new template and the note. Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<(String, String), AppError> {
        let mut errors = FieldErrors::default();
        let (name, note) = (self.name.trim(), self.note.trim().replace("\r\n", "\n"));
        if self.template.trim().is_empty() && (name.is_empty() || name.chars().count() > LONGEST_NAME) {
            errors.add("name", "Give the template a name of at most 64 characters.");
        }
        if note.chars().count() > LONGEST_NOTE {
            errors.add("note", "Keep the note below 300 characters.");
        }
        errors.check()?;
        Ok((name.to_owned(), note))
    }
}

/// The form that gives a template to a client, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiveForm {
    pub template: String,
    /// The version that the page showed. Empty: the newest.
    pub version: String,
    /// The agent that is made: sent twice, it is made once. Empty: another one each time.
    pub agent: String,
    pub client_id: String,
    pub name: String,
}

/// What is taken over from a template, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TakeForm {
    pub id: String,
    /// The newest version that the page showed.
    pub version: String,
    /// One field. Empty: all that were not changed here.
    pub field: String,
}

#[cfg(test)]
mod tests;
