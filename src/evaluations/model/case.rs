//! A case's form, and the few lines of text in which tools are asserted and answered for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CaseKind, Matcher};
use patchbay_prompts::model::parse_tags;
use patchbay_shared::ids::CallId;
use patchbay_shared::variables::parse_variables;
use patchbay_shared::{AppError, FieldErrors};
use patchbay_tools::model::schema;

/// The longest text of a case, in characters.
const LONGEST: usize = 8000;
/// The most tools that a case says something about.
const MOST_TOOLS: usize = 40;

/// A case's form, as posted. Without an id it makes a new case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseForm {
    pub agent: String,
    pub id: String,
    pub name: String,
    pub kind: String,
    pub input: String,
    pub mood: String,
    pub language: String,
    pub most_turns: String,
    pub matcher: String,
    pub expected: String,
    pub variables: String,
    pub tool_checks: String,
    pub stubs: String,
    /// Ticked: tools that the case does not answer for are really used.
    pub uses_tools: Option<String>,
    pub tags: String,
    /// The call that it is made from.
    pub call: String,
}

/// Whether a tool must be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCheck {
    pub tool: String,
    pub is_called: bool,
    /// What the arguments of one of the calls must contain.
    #[serde(default)]
    pub arguments: Option<Value>,
}

/// A case, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFields {
    pub name: String,
    pub kind: CaseKind,
    pub input: String,
    pub mood: String,
    pub language: String,
    pub most_turns: i32,
    pub matcher: Matcher,
    pub expected: String,
    pub variables: BTreeMap<String, String>,
    pub tool_checks: Vec<ToolCheck>,
    pub stubs: BTreeMap<String, String>,
    pub uses_tools: bool,
    pub tags: Vec<String>,
    pub call: Option<CallId>,
}

impl CaseForm {
    /// Errors: `Invalid` with a message per field. Whether a pattern is one, the server looks.
    pub fn check(&self) -> Result<CaseFields, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 120 {
            errors.add("name", "Give the case a name of at most 120 characters: what the agent should do.");
        }
        let kind = self.kind.parse().unwrap_or(CaseKind::Message);
        let is_talk = kind == CaseKind::Conversation;
        let input = text(&self.input);
        if input.is_empty() {
            let message = if is_talk { "Say what the caller wants." } else { "Write what the caller says." };
            errors.add("input", message);
        }
        let matcher = self.matcher.parse().unwrap_or_else(|_| {
            errors.add("matcher", "Choose how the answer is compared.");
            Matcher::Contains
        });
        let expected = text(&self.expected);
        let has_checks = !self.tool_checks.trim().is_empty();
        if expected.is_empty() && !(matcher == Matcher::Contains && has_checks) {
            errors.add("expected", "Write what is expected. Only a case that asserts tools can do without it.");
        }
        if matcher == Matcher::JsonSchema
            && !expected.is_empty()
            && let Err(why) = schema::read(&expected)
        {
            errors.add("expected", why);
        }
        for (field, value) in [("input", &input), ("expected", &expected)] {
            if value.chars().count() > LONGEST {
                errors.add(field, "Keep this below 8,000 characters.");
            }
        }
        for (field, value) in [("mood", &self.mood), ("language", &self.language)] {
            if value.trim().chars().count() > 80 {
                errors.add(field, "Keep this below 80 characters.");
            }
        }
        let most_turns = match (is_talk, self.most_turns.trim()) {
            (false, _) => 1,
            (true, "") => 6,
            (true, text) => text.parse().ok().filter(|turns| (1..=20).contains(turns)).unwrap_or_else(|| {
                errors.add("most_turns", "Enter a number from 1 to 20.");
                1
            }),
        };
        let variables = read("variables", parse_variables(&self.variables), &mut errors);
        let tool_checks = read("tool_checks", read_checks(&self.tool_checks), &mut errors);
        let stubs = read("stubs", read_stubs(&self.stubs), &mut errors);
        let tags = read("tags", parse_tags(&self.tags), &mut errors);
        errors.check()?;
        let of_talk = |text: &str| if is_talk { text.trim().to_owned() } else { String::new() };
        let call = match self.call.trim() {
            "" => None,
            id => Some(id.parse()?),
        };
        Ok(CaseFields {
            name: name.to_owned(),
            kind,
            input,
            mood: of_talk(&self.mood),
            language: of_talk(&self.language),
            most_turns,
            matcher,
            expected,
            variables,
            tool_checks,
            stubs,
            uses_tools: self.uses_tools.is_some(),
            tags,
            call,
        })
    }
}

fn read<T: Default>(field: &str, found: Result<T, String>, errors: &mut FieldErrors) -> T {
    found.unwrap_or_else(|why| {
        errors.add(field, why);
        T::default()
    })
}

/// Browsers send line ends as CR LF; the stored text has one form.
fn text(typed: &str) -> String {
    typed.trim().replace("\r\n", "\n")
}

/// `book`, `book {"day": "Tuesday"}` or `not transfer`, one a line. Errors: a sentence that names the line.
pub fn read_checks(text: &str) -> Result<Vec<ToolCheck>, String> {
    let mut checks = Vec::new();
    for (index, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let (is_called, rest) = match line.strip_prefix("not ") {
            Some(rest) => (false, rest.trim()),
            None => (true, line),
        };
        let (tool, given) = match rest.find(|letter: char| letter.is_whitespace() || letter == '{') {
            Some(end) => (&rest[..end], rest[end..].trim()),
            None => (rest, ""),
        };
        if !schema::is_name(tool) {
            return Err(format!("Line {index}: “{}” is no name of a tool.", beginning(tool)));
        }
        let arguments = match given {
            "" => None,
            json if json.contains("\\u0000") || json.chars().count() > LONGEST => {
                return Err(format!("Line {index}: shorten the values, and take out characters that cannot be shown."));
            }
            json => {
                let read: Option<Value> = serde_json::from_str(json).ok().filter(Value::is_object);
                let why = || {
                    format!(
                        "Line {index}: behind the tool’s name stands what its values contain, as {{\"day\": \"Tuesday\"}}."
                    )
                };
                Some(read.ok_or_else(why)?)
            }
        };
        if !is_called && arguments.is_some() {
            return Err(format!("Line {index}: a tool that must not be called has no values."));
        }
        checks.push(ToolCheck { tool: tool.to_owned(), is_called, arguments });
    }
    if checks.len() > MOST_TOOLS { Err("At most 40 lines.".to_owned()) } else { Ok(checks) }
}

/// `book = Booked for Tuesday at 9:30.`, one a line. Errors: a sentence that names the line.
pub fn read_stubs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut stubs = BTreeMap::new();
    for (index, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let Some((tool, answer)) = line.split_once('=') else {
            return Err(format!("Line {index} has no “=”. Write tool = what it answers."));
        };
        let (tool, answer) = (tool.trim(), answer.trim());
        if !schema::is_name(tool) {
            return Err(format!("Line {index}: “{}” is no name of a tool.", beginning(tool)));
        }
        if answer.chars().count() > LONGEST {
            return Err(format!("Line {index}: keep the answer below 8,000 characters."));
        }
        if stubs.insert(tool.to_owned(), answer.to_owned()).is_some() {
            return Err(format!("Line {index}: “{tool}” stands there twice."));
        }
    }
    if stubs.len() > MOST_TOOLS { Err("At most 40 lines.".to_owned()) } else { Ok(stubs) }
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

impl CaseFields {
    /// The form of a stored case.
    pub fn form(&self, agent: String, id: String) -> CaseForm {
        CaseForm {
            agent,
            id,
            name: self.name.clone(),
            kind: self.kind.as_str().to_owned(),
            input: self.input.clone(),
            mood: self.mood.clone(),
            language: self.language.clone(),
            most_turns: self.most_turns.to_string(),
            matcher: self.matcher.as_str().to_owned(),
            expected: self.expected.clone(),
            variables: patchbay_shared::variables::variables_text(&self.variables),
            tool_checks: self.tool_checks.iter().map(ToolCheck::text).collect::<Vec<_>>().join("\n"),
            stubs: self.stubs.iter().map(|(tool, answer)| format!("{tool} = {answer}")).collect::<Vec<_>>().join("\n"),
            uses_tools: self.uses_tools.then(|| "true".to_owned()),
            tags: self.tags.join(", "),
            call: self.call.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

impl ToolCheck {
    /// The line that it is typed as.
    pub fn text(&self) -> String {
        let given = self.arguments.as_ref().map(|given| format!(" {given}")).unwrap_or_default();
        format!("{}{}{given}", if self.is_called { "" } else { "not " }, self.tool)
    }
}
