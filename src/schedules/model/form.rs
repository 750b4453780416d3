use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use patchbay_shared::variables::{parse_variables, variables_text};
use patchbay_shared::{AppError, FieldErrors};

/// The longest message, in characters.
const LONGEST: usize = 4000;
const LONGEST_NAME: usize = 80;
const MOST_VALUES: usize = 50;

/// The form of a schedule, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleForm {
    pub agent: String,
    /// Empty: a new one.
    pub id: String,
    pub name: String,
    pub cron: String,
    pub timezone: String,
    pub input: String,
    /// `name = value`, one a line.
    pub variables: String,
    /// `times`: show when it would run, and save nothing.
    pub show: Option<String>,
}

/// The form of a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggerForm {
    pub agent: String,
    /// Empty: a new one.
    pub id: String,
    pub name: String,
}

/// What a schedule is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleFields {
    pub name: String,
    pub cron: String,
    pub timezone: String,
    pub input: String,
    pub variables: BTreeMap<String, String>,
}

impl ScheduleForm {
    /// The fields that have to be right by themselves, and what is wrong with them. The line and the zone are looked at by the server.
    pub fn read(&self) -> (ScheduleFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let name = name(&self.name, "Give the schedule a name of at most 80 characters: what it is for.", &mut errors);
        let input = self.input.trim().replace("\r\n", "\n");
        if input.is_empty() || input.chars().count() > LONGEST {
            errors.add("input", "Write what the agent is told at each of its times, in at most 4,000 characters.");
        }
        let variables = parse_variables(&self.variables).unwrap_or_else(|why| {
            errors.add("variables", why);
            BTreeMap::new()
        });
        let most = variables.values().map(|value| value.chars().count()).sum::<usize>();
        if variables.len() > MOST_VALUES || most > LONGEST {
            errors.add("variables", "At most 50 values, and 4,000 characters of them.");
        }
        // As people copy them: with any spaces between the parts.
        let cron = self.cron.split_whitespace().collect::<Vec<_>>().join(" ");
        let fields = ScheduleFields { name, cron, timezone: self.timezone.trim().to_owned(), input, variables };
        (fields, errors)
    }
}

impl ScheduleFields {
    /// As the form shows them.
    pub fn form(&self, agent: String, id: String) -> ScheduleForm {
        ScheduleForm {
            agent,
            id,
            name: self.name.clone(),
            cron: self.cron.clone(),
            timezone: self.timezone.clone(),
            input: self.input.clone(),
            variables: variables_text(&self.variables),
            show: None,
        }
    }
}

impl TriggerForm {
    /// Errors: `Invalid`.
    pub fn check(&self) -> Result<String, AppError> {
        let mut errors = FieldErrors::default();
        let name = name(&self.name, "Give the trigger a name of at most 80 characters: who calls it.", &mut errors);
        errors.check()?;
        Ok(name)
    }
}

fn name(typed: &str, wrong: &str, errors: &mut FieldErrors) -> String {
    let name = typed.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        errors.add("name", wrong);
    }
    name.to_owned()
}
