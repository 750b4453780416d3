use serde::{Deserialize, Serialize};

use super::{RuleOutcome, check_template};
use patchbay_shared::FieldErrors;
use patchbay_shared::ids::{ClientId, NumberId};

/// The longest wait, in minutes: a week.
const LONGEST_DELAY: i32 = 10_080;

/// The form of a rule, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleForm {
    /// Empty: a new one.
    pub id: String,
    pub name: String,
    pub client: String,
    pub missed: Option<String>,
    pub no_answer: Option<String>,
    pub busy: Option<String>,
    pub declined: Option<String>,
    pub voicemail: Option<String>,
    pub answered: Option<String>,
    pub callback_scheduled: Option<String>,
    pub template: String,
    /// Empty: the number of the call.
    pub number: String,
    pub delay_minutes: String,
    pub hours_start: String,
    pub hours_end: String,
}

/// What a rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFields {
    pub name: String,
    pub client: Option<ClientId>,
    pub outcomes: Vec<RuleOutcome>,
    pub template: String,
    pub number: Option<NumberId>,
    pub delay_minutes: i32,
    /// `08:00`; both alike: at any time.
    pub hours: (String, String),
}

impl RuleForm {
    /// Whether the outcome is ticked.
    pub fn has(&self, outcome: RuleOutcome) -> bool {
        self.tick(outcome).is_some()
    }

    fn tick(&self, outcome: RuleOutcome) -> Option<&String> {
        match outcome {
            RuleOutcome::Missed => self.missed.as_ref(),
            RuleOutcome::NoAnswer => self.no_answer.as_ref(),
            RuleOutcome::Busy => self.busy.as_ref(),
            RuleOutcome::Declined => self.declined.as_ref(),
            RuleOutcome::Voicemail => self.voicemail.as_ref(),
            RuleOutcome::Answered => self.answered.as_ref(),
            RuleOutcome::CallbackScheduled => self.callback_scheduled.as_ref(),
        }
    }

    /// What a rule is, as the form shows it.
    pub fn of(id: String, fields: &RuleFields) -> Self {
        let on = |outcome| fields.outcomes.contains(&outcome).then(|| "on".to_owned());
        Self {
            id,
            name: fields.name.clone(),
            client: fields.client.map(|client| client.to_string()).unwrap_or_default(),
            missed: on(RuleOutcome::Missed),
            no_answer: on(RuleOutcome::NoAnswer),
            busy: on(RuleOutcome::Busy),
            declined: on(RuleOutcome::Declined),
            voicemail: on(RuleOutcome::Voicemail),
            answered: on(RuleOutcome::Answered),
            callback_scheduled: on(RuleOutcome::CallbackScheduled),
            template: fields.template.clone(),
            number: fields.number.map(|number| number.to_string()).unwrap_or_default(),
            delay_minutes: fields.delay_minutes.to_string(),
            hours_start: fields.hours.0.clone(),
            hours_end: fields.hours.1.clone(),
        }
    }

    /// The fields, and what is wrong with them.
    pub fn read(&self) -> (RuleFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 {
            errors.add("name", "Give the rule a name of at most 120 characters: what its message is for.");
        }
        let client = self.client.parse().ok();
        if client.is_none() {
            errors.add("client", "Choose the client whose calls it is about.");
        }
        let outcomes: Vec<RuleOutcome> =
            RuleOutcome::ALL.iter().copied().filter(|outcome| self.has(*outcome)).collect();
        if outcomes.is_empty() {
            errors.add("missed", "Tick after which calls the message is sent.");
        }
        let template = self.template.replace("\r\n", "\n").trim().to_owned();
        if let Err(why) = check_template(&template) {
            errors.add("template", why);
        }
        let number = match self.number.trim() {
            "" => None,
            id => id.parse().map_err(|_| errors.add("number", "Choose a number from the list.")).ok(),
        };
        let delay = self.delay_minutes.trim();
        let delay_minutes = if delay.is_empty() { Some(0) } else { delay.parse().ok() };
        let delay_minutes =
            delay_minutes.filter(|minutes| (0..=LONGEST_DELAY).contains(minutes)).unwrap_or_else(|| {
                errors.add("delay_minutes", "Give whole minutes from 0 to 10,080, which is a week.");
                0
            });
        let mut hour = |field: &str, typed: &str, usual: &str| match typed.trim() {
            "" => usual.to_owned(),
            typed => clock(typed).unwrap_or_else(|| {
                errors.add(field, "Write a time of day as 08:00.");
                usual.to_owned()
            }),
        };
        let hours = (hour("hours_start", &self.hours_start, "08:00"), hour("hours_end", &self.hours_end, "20:00"));
        if hours.0 > hours.1 {
            errors.add("hours_end", "The end lies before the beginning. Both alike: at any time.");
        }
        (RuleFields { name, client, outcomes, template, number, delay_minutes, hours }, errors)
    }
}

/// `8:05` as `08:05`. None: no time of day.
fn clock(typed: &str) -> Option<String> {
    let (hours, minutes) = typed.split_once(':')?;
    // Browsers may add the seconds.
    let minutes = minutes.split(':').next()?;
    let part =
        |text: &str| Some(text).filter(|text| (1..=2).contains(&text.len())).and_then(|text| text.parse::<u8>().ok());
    let (hours, minutes) = (part(hours)?, part(minutes)?);
    (hours < 24 && minutes < 60).then(|| format!("{hours:02}:{minutes:02}"))
}
