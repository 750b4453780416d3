//! [server] The loop of an agent: one conversation without a telephone. The prompt's version with its variables filled in and the skills
//! are what the model is told; it answers, and uses tools, until the conversation ends. Owns no table: what was said and done is a run of
//! the crate runs, and what it cost is metering's.
//! Reads the tables agents and clients.
//!
//! The surprising parts: a tool is used for real only where the plan says so, else it answers with what the plan has for it, or that it is
//! not there; and whether the next answer may be paid for is asked before each one, of the workspace's state and of whoever watches.

mod ask;
mod caller;
mod store;
mod talk;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

pub use ask::{Answer, Asker, Halt, Spent, Watch};
pub use talk::{end, hold};

use patchbay_shared::ids::{AgentId, ConnectionId, PromptId, RunId, UserId};

/// A conversation that is to be held.
#[derive(Debug, Clone)]
pub struct Plan {
    pub agent: AgentId,
    pub prompt: PromptId,
    pub version: i32,
    pub connection: ConnectionId,
    pub model: String,
    /// For the prompt's variables.
    pub variables: BTreeMap<String, String>,
    /// What tools answer without being used, by their names.
    pub stubs: BTreeMap<String, String>,
    /// Tools without such an answer are really used.
    pub uses_tools: bool,
    pub other: Other,
    /// The longest that it may take.
    pub longest: Duration,
    /// Of the run that it becomes.
    pub run: RunId,
    /// What that run is called.
    pub title: String,
    pub started_by: Option<UserId>,
}

/// The other side.
#[derive(Debug, Clone)]
pub enum Other {
    /// Says this and no more: the conversation is over with the answer.
    Message(String),
    /// A model that wants something.
    Caller(Persona),
}

/// Whom the caller's model plays.
#[derive(Debug, Clone)]
pub struct Persona {
    pub goal: String,
    pub mood: String,
    pub language: String,
    /// The caller speaks so many times at most.
    pub most_turns: u32,
}

/// Why a conversation may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The agency is suspended.
    Suspended,
    /// The agent was deleted, or its client is archived.
    AtRest,
    /// It has cost what it may cost.
    OverBudget,
    /// Somebody stopped it.
    Stopped,
    /// Its time is up.
    Late,
}

impl Stop {
    pub fn sentence(self) -> &'static str {
        match self {
            Stop::Suspended => "The agency’s account is suspended, so no model is asked.",
            Stop::AtRest => "The agent was deleted or its client is archived, so no model is asked.",
            Stop::OverBudget => "The budget is used up.",
            Stop::Stopped => "It was stopped.",
            Stop::Late => "It took longer than it may.",
        }
    }
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Caller,
    Agent,
    /// A tool that the agent used.
    Tool,
}

/// A part of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub by: Said,
    /// Of a tool: what it answered.
    pub text: String,
    pub tool: Option<ToolUse>,
}

/// How a tool was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    pub name: String,
    pub arguments: Value,
    pub is_error: bool,
    /// The answer was the plan's: nothing was done.
    pub is_stubbed: bool,
}

/// What came of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub turns: Vec<Turn>,
    pub ended: Ended,
    pub spent: Spent,
    /// How long each answer of the agent took, in milliseconds.
    pub replies: Vec<u32>,
}

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// Somebody hung up, or all was said.
    Over,
    Stopped(Stop),
    /// A service failed. A sentence for people.
    Failed(String),
}

impl Held {
    /// What the agent said last.
    pub fn last_words(&self) -> &str {
        let last = self.turns.iter().rev().find(|turn| turn.by == Said::Agent);
        last.map(|turn| turn.text.as_str()).unwrap_or_default()
    }
}

/// The words of a prompt with the values in place of its variables; what has no value stays as it stands.
pub fn filled(template: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        match after.split_once("}}") {
            Some((name, behind)) => {
                match variables.get(name.trim()) {
                    Some(value) => out.push_str(value),
                    None => out.push_str(&format!("{{{{{name}}}}}")),
                }
                rest = behind;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_place_of_variables_and_are_not_read_again() {
        let values =
            BTreeMap::from([("name".to_owned(), "{{city}}".to_owned()), ("city".to_owned(), "Bern".to_owned())]);
        assert_eq!(
            filled("Hi {{ name }} of {{city}}, {{other}} {{ open", &values),
            "Hi {{city}} of Bern, {{other}} {{ open"
        );
        assert_eq!(filled("", &values), "");
    }
}
