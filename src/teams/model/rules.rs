//! The rows of a team's form that say when a person is asked.

use serde::{Deserialize, Serialize};

use super::form::{LONGEST_NAME, amount, filled};
use patchbay_execution::model::{ApprovalRule, AsksFor};
use patchbay_shared::FieldErrors;
use patchbay_shared::decimals::{fixed, read};
use patchbay_shared::ids::AgentId;

/// When a person is asked, as the form names it.
pub const RULE_KINDS: &[(&str, &str)] = &[
    ("tool", "A tool is used"),
    ("worker", "A worker starts a job"),
    ("cost", "The run has cost more than"),
    ("process", "A script is run"),
];

/// One rule as it is typed. Without a kind there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleForm {
    pub name: String,
    pub on: String,
    pub tool: String,
    pub argument: String,
    pub worker: String,
    pub above: String,
    pub minutes: String,
    pub for_client: bool,
}

impl RuleForm {
    pub(super) fn read(&self, number: usize, errors: &mut FieldErrors) -> Option<ApprovalRule> {
        if self.on.trim().is_empty() {
            return None;
        }
        let mut wrong = |field: &str, message: &str| errors.add(&format!("rule_{number}_{field}"), message);
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            wrong("name", "Give the rule a name of at most 80 characters: people read it when they are asked.");
        }
        let minutes = self.minutes.trim().parse().ok().filter(|minutes| (1..=10_080).contains(minutes));
        if minutes.is_none() {
            wrong("minutes", "Enter the minutes that people have, from 1 to 10080.");
        }
        let when = match self.on.as_str() {
            "tool" => {
                let (tool, argument, above) = (self.tool.trim(), filled(&self.argument), filled(&self.above));
                if tool.is_empty() || tool.len() > 80 {
                    wrong("tool", "Write the tool’s name as the agent has it.");
                }
                if argument.as_ref().is_some_and(|argument| argument.chars().count() > 80) {
                    wrong("argument", "Keep the argument’s name below 80 characters.");
                }
                let number = above.as_deref().map(read);
                if number == Some(None) {
                    wrong("above", "Enter a number, for example 50.");
                }
                if argument.is_some() != above.is_some() {
                    wrong("above", "An argument and a number belong together: leave both empty to be asked each time.");
                }
                AsksFor::Tool { name: tool.to_owned(), argument, above: number.flatten() }
            }
            "worker" => {
                let agent: Option<AgentId> = self.worker.trim().parse().ok();
                if agent.is_none() {
                    wrong("worker", "Choose the worker.");
                }
                AsksFor::Worker { agent: agent? }
            }
            "cost" => {
                let above = amount(&self.above);
                if above.is_none() {
                    wrong("above", "Enter an amount in US dollars from 0.01 to 1000, for example 0.20.");
                }
                AsksFor::Cost { above: above? }
            }
            "process" => AsksFor::Process,
            _ => {
                wrong("on", "Choose what people are asked about.");
                return None;
            }
        };
        Some(ApprovalRule { name, when, minutes: minutes?, for_client: self.for_client })
    }

    /// A stored rule as the form shows it.
    pub fn of(rule: &ApprovalRule) -> Self {
        let form = Self {
            name: rule.name.clone(),
            minutes: rule.minutes.to_string(),
            for_client: rule.for_client,
            ..Self::default()
        };
        match rule.when.clone() {
            AsksFor::Tool { name, argument, above } => Self {
                on: "tool".to_owned(),
                tool: name,
                argument: argument.unwrap_or_default(),
                above: above.map(number_text).unwrap_or_default(),
                ..form
            },
            AsksFor::Worker { agent } => Self { on: "worker".to_owned(), worker: agent.to_string(), ..form },
            AsksFor::Cost { above } => Self { on: "cost".to_owned(), above, ..form },
            AsksFor::Process => Self { on: "process".to_owned(), ..form },
        }
    }
}

/// A number without decimals that say nothing: `50`, `107.6`.
pub fn number_text(value: f64) -> String {
    let text = fixed(value, 4);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
