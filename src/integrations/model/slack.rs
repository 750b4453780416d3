use serde::{Deserialize, Serialize};

use super::told;
use patchbay_shared::{AppError, FieldErrors};
use patchbay_webhooks::model::EventType;

/// Events that can be told in a channel, in the order in which a form offers them.
pub const SLACK_EVENTS: [EventType; 9] = [
    EventType::CallCompleted,
    EventType::CallFailed,
    EventType::AnalysisCompleted,
    EventType::BatchCompleted,
    EventType::CallbackAsked,
    EventType::BudgetNear,
    EventType::ContactSuppressed,
    EventType::MessageReceived,
    EventType::ContactChanged,
];

/// How messages get to a channel, and which. The token or the address is sealed elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlackConfig {
    /// An incoming webhook, which has one channel of its own. False: a bot.
    pub by_webhook: bool,
    /// Slack's id of the channel. Empty: none is chosen.
    pub channel: String,
    pub channel_name: String,
    pub events: Vec<EventType>,
    /// Outcomes of calls that are told. Empty: all.
    pub outcomes: Vec<String>,
    /// Other integrations' trouble is told here, too.
    pub troubles: bool,
}

impl SlackConfig {
    /// It can send: it knows where.
    pub fn has_channel(&self) -> bool {
        self.by_webhook || !self.channel.is_empty()
    }
}

/// What signs in at Slack: a bot's token, or the address of an incoming webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlackConnectForm {
    pub id: String,
    pub token: String,
}

/// Where messages go, and about what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlackForm {
    pub id: String,
    pub channel: String,
    pub channel_name: String,
    pub events: Vec<String>,
    pub outcomes: Vec<String>,
    pub troubles: Option<String>,
}

/// A channel as Slack lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackChannel {
    pub id: String,
    pub name: String,
    pub is_private: bool,
    /// The bot is in it. Else it has to be invited, or to have `chat:write.public`.
    pub is_member: bool,
}

impl SlackForm {
    /// As it is stored.
    pub fn of(id: String, config: &SlackConfig) -> Self {
        Self {
            id,
            channel: config.channel.clone(),
            channel_name: config.channel_name.clone(),
            events: config.events.iter().map(|kind| kind.as_str().to_owned()).collect(),
            outcomes: config.outcomes.clone(),
            troubles: config.troubles.then(|| "true".to_owned()),
        }
    }

    /// The choices of the form on top of what was set up before. Errors: `Invalid`.
    pub fn check(&self, before: &SlackConfig) -> Result<SlackConfig, AppError> {
        let mut errors = FieldErrors::default();
        let channel = self.channel.trim();
        let is_id = (3..=24).contains(&channel.len())
            && channel.starts_with(['C', 'G', 'D'])
            && channel.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
        if !before.by_webhook && !is_id {
            errors.add("channel", "Choose a channel.");
        }
        let events = told::events(&self.events, &SLACK_EVENTS, &mut errors);
        let troubles = self.troubles.is_some();
        if events.is_empty() && !troubles && errors.at("events").is_none() {
            errors.add("events", "Choose at least one event, or the trouble of integrations.");
        }
        let outcomes = told::outcomes(&self.outcomes, &mut errors);
        errors.check()?;
        let (channel, channel_name) = if before.by_webhook {
            (before.channel.clone(), before.channel_name.clone())
        } else {
            let name: String =
                self.channel_name.trim().chars().filter(|letter| !letter.is_control()).take(80).collect();
            (channel.to_owned(), name)
        };
        Ok(SlackConfig { by_webhook: before.by_webhook, channel, channel_name, events, outcomes, troubles })
    }
}
