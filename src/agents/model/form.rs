//! The agent's form, as it is posted and checked.

use serde::{Deserialize, Serialize};

use super::config::{AgentConfig, AtVoicemail, MOST_SILENCES, Memory, OpeningKind, Silence, SilenceEnds};
use super::settings::AgentSettings;
use super::{CallDirection, FirstSpeaker, LANGUAGES};
use patchbay_prompts::model::{check_template, parse_tags};
use patchbay_shared::ids::{ClientId, PromptId};
use patchbay_shared::{AppError, FieldErrors};

/// The agent's form, as posted. Without an id it makes a new agent; else it saves the agent's draft. What a program leaves out is as for
/// a new agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentForm {
    pub id: String,
    /// What the page showed: see `AgentPage::base`. Empty: whatever is there.
    pub base: String,
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
    pub opening: String,
    pub uninterruptible: Option<String>,
    pub greeting_delay: String,
    pub silence: String,
    pub join_seconds: String,
    pub max_minutes: String,
    pub time_up: String,
    pub silence_after_1: String,
    pub silence_says_1: String,
    pub silence_ends_1: String,
    pub silence_after_2: String,
    pub silence_says_2: String,
    pub silence_ends_2: String,
    pub silence_after_3: String,
    pub silence_says_3: String,
    pub silence_ends_3: String,
    pub voicemail: String,
    pub voicemail_message: String,
    pub screener: String,
    pub earlier_calls: String,
    pub earlier_days: String,
    pub earlier_tokens: String,
    pub recording: Option<String>,
    pub direction: String,
    pub tags: String,
    /// A prompt's id; empty: `template` becomes a new prompt.
    pub prompt_id: String,
    pub template: String,
    /// Ticked after somebody else has saved meanwhile: save this in the place of theirs.
    pub overwrite: Option<String>,
    /// Publish what is saved at once.
    pub publish: Option<String>,
}

/// Which prompt a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptWish {
    None,
    Use(PromptId),
    Write(String),
}

/// An agent's fields, checked. The settings have no prompt yet.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentFields {
    pub settings: AgentSettings,
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
        let direction = self.direction.parse().unwrap_or(CallDirection::Outbound);
        let tags = parse_tags(&self.tags).unwrap_or_else(|message| {
            errors.add("tags", message);
            Vec::new()
        });
        let client_id = match self.client_id.trim() {
            "" => None,
            id => id.parse::<ClientId>().map(Some).unwrap_or_else(|_| {
                errors.add("client_id", "Choose a client.");
                None
            }),
        };
        let config = self.config(&mut errors);
        let prompt = self.prompt_wish(&mut errors);
        errors.check()?;
        let settings = AgentSettings {
            name: name.to_owned(),
            description: self.description.trim().replace("\r\n", "\n"),
            client_id,
            language: language.to_owned(),
            llm_model: llm_model.to_owned(),
            prompt_id: None,
            direction,
            tags,
            config,
            // Not of the form: whoever saves it keeps what is there.
            template: None,
        };
        Ok(AgentFields { settings, prompt })
    }

    fn config(&self, errors: &mut FieldErrors) -> AgentConfig {
        let usual = AgentConfig::default();
        if self.voice.len() > 120 {
            errors.add("voice", "Choose a voice from the list.");
        }
        let temperature = number(&self.temperature).unwrap_or(f64::NAN);
        if !(0.0..=1.0).contains(&temperature) {
            errors.add("temperature", "Enter a number from 0 (consistent) to 1 (varied).");
        }
        let first_speaker = self.first_speaker.parse().unwrap_or_else(|_| {
            errors.add("first_speaker", "Choose who speaks first.");
            FirstSpeaker::Agent
        });
        let max_minutes = self.max_minutes.trim().parse().unwrap_or(0);
        if !(1..=120).contains(&max_minutes) {
            errors.add("max_minutes", "Enter whole minutes from 1 to 120.");
        }
        let opening = word(&self.opening, OpeningKind::Exact).unwrap_or_else(|| {
            errors.add("opening", "Choose how the opening is said.");
            OpeningKind::Exact
        });
        let voicemail = word(&self.voicemail, AtVoicemail::Prompt).unwrap_or_else(|| {
            errors.add("voicemail", "Choose what happens at a mailbox.");
            AtVoicemail::Prompt
        });
        let voicemail_message = spoken(errors, "voicemail_message", &self.voicemail_message);
        if voicemail == AtVoicemail::Message && voicemail_message.is_empty() {
            errors.add("voicemail_message", "Write the message that is left, or choose another way at mailboxes.");
        }
        let memory = Memory {
            calls: whole(errors, "earlier_calls", &self.earlier_calls, usual.memory.calls, 0, 20),
            days: whole(errors, "earlier_days", &self.earlier_days, usual.memory.days, 1, 730),
            tokens: whole(errors, "earlier_tokens", &self.earlier_tokens, usual.memory.tokens, 50, 4000),
        };
        AgentConfig {
            voice: self.voice.trim().to_owned(),
            temperature,
            first_speaker,
            greeting: spoken(errors, "greeting", &self.greeting),
            opening,
            uninterruptible: self.uninterruptible.is_some(),
            greeting_delay: seconds(errors, "greeting_delay", &self.greeting_delay, usual.greeting_delay, 0.0, 30.0),
            silence: seconds(errors, "silence", &self.silence, usual.silence, 1.0, 60.0),
            join_seconds: whole(errors, "join_seconds", &self.join_seconds, usual.join_seconds, 10, 120),
            max_minutes,
            time_up: spoken(errors, "time_up", &self.time_up),
            silences: self.silences(errors),
            voicemail,
            voicemail_message,
            screener: spoken(errors, "screener", &self.screener),
            memory,
            is_recorded: self.recording.is_some(),
        }
    }

    fn silences(&self, errors: &mut FieldErrors) -> Vec<Silence> {
        let rows: [[&str; 3]; MOST_SILENCES] = [
            [&self.silence_after_1, &self.silence_says_1, &self.silence_ends_1],
            [&self.silence_after_2, &self.silence_says_2, &self.silence_ends_2],
            [&self.silence_after_3, &self.silence_says_3, &self.silence_ends_3],
        ];
        let mut all = Vec::new();
        for (place, [after, says, ends]) in rows.into_iter().enumerate() {
            let name = |field: &str| format!("silence_{field}_{}", place + 1);
            let says = spoken(errors, &name("says"), says);
            if after.trim().is_empty() && says.is_empty() {
                continue;
            }
            if says.is_empty() {
                errors.add(&name("says"), "Write what is said, or leave the seconds empty too.");
            }
            let after = whole(errors, &name("after"), after, 0, 1, 600);
            if after == 0 {
                errors.add(&name("after"), "Enter whole seconds from 1 to 600.");
            }
            let ends = word(ends, SilenceEnds::No).unwrap_or_else(|| {
                errors.add(&name("ends"), "Choose whether the call ends.");
                SilenceEnds::No
            });
            all.push(Silence { after, says, ends });
        }
        all
    }

    fn prompt_wish(&self, errors: &mut FieldErrors) -> PromptWish {
        let template = self.template.replace("\r\n", "\n");
        match self.prompt_id.trim() {
            "" if template.trim().is_empty() => PromptWish::None,
            "" => {
                if let Err(message) = check_template(&template) {
                    errors.add("template", message);
                }
                PromptWish::Write(template)
            }
            chosen => chosen.parse().map(PromptWish::Use).unwrap_or_else(|_| {
                errors.add("prompt_id", "Choose a prompt.");
                PromptWish::None
            }),
        }
    }
}

/// A number, with a point or a comma.
fn number(text: &str) -> Option<f64> {
    text.trim().replace(',', ".").parse().ok()
}

/// A chosen word; the usual one when nothing was sent.
fn word<T: std::str::FromStr>(text: &str, usual: T) -> Option<T> {
    match text.trim() {
        "" => Some(usual),
        text => text.parse().ok(),
    }
}

fn whole(errors: &mut FieldErrors, field: &str, text: &str, usual: u32, least: u32, most: u32) -> u32 {
    match text.trim() {
        "" => usual,
        text => match text.parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                errors.add(field, format!("Enter a whole number from {least} to {most}."));
                usual.max(least)
            }
        },
    }
}

fn seconds(errors: &mut FieldErrors, field: &str, text: &str, usual: f64, least: f64, most: f64) -> f64 {
    match text.trim() {
        "" => usual,
        text => match number(text) {
            // Tenths are heard, more is not.
            Some(seconds) if (least..=most).contains(&seconds) => (seconds * 10.0).round() / 10.0,
            _ => {
                errors.add(field, format!("Enter seconds from {least} to {most}."));
                usual
            }
        },
    }
}

/// Words that are said, which may hold variables.
fn spoken(errors: &mut FieldErrors, field: &str, text: &str) -> String {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > 1000 {
        errors.add(field, "Keep this below 1,000 characters.");
    } else if text.contains("{{")
        && let Err(message) = check_template(&text)
    {
        errors.add(field, message);
    }
    text
}

#[cfg(test)]
mod tests;
