//! What the forms of a team post, as typed, and what they say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::RuleForm;
use super::{CaseExpects, CaseFields, LONGEST_MESSAGE, MOST_RULES, TeamFields, TeamMode, TeamSettings};
use patchbay_execution::model::ApprovalRule;
use patchbay_shared::decimals::read;
use patchbay_shared::ids::TeamId;
use patchbay_shared::{AppError, FieldErrors};

pub(super) const LONGEST_NAME: usize = 80;
const LONGEST_DESCRIPTION: usize = 500;
const LONGEST_INSTRUCTIONS: usize = 8000;
/// Characters of what a member is for.
pub const LONGEST_ROLE: usize = 500;
/// Messages of one case.
pub const MOST_MESSAGES: usize = 10;
/// What stands before an id in the names of boxes.
pub const COLLECTION_BOX: &str = "collections_";
pub const SKILL_BOX: &str = "skills_";
/// The form of a team. A new one has only the first fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamForm {
    /// Empty: a new one.
    pub id: String,
    /// The revision that the form started from.
    pub revision: String,
    pub name: String,
    pub description: String,
    pub mode: String,
    pub client: String,
    pub instructions: String,
    pub account: String,
    pub model: String,
    pub threshold: String,
    pub most_steps: String,
    pub most_cost: String,
    pub most_seconds: String,
    pub engine: String,
    pub target: String,
    pub memory_mb: String,
    /// What was changed, for the list of versions.
    pub note: String,
    /// Ticked after somebody else has saved meanwhile.
    pub overwrite: Option<String>,
    /// `collections_<id>` and `skills_<id>`, ticked; `rule_<n>_<field>`.
    #[serde(flatten)]
    pub more: BTreeMap<String, String>,
}

impl TeamForm {
    /// What a new team begins with: its name, what it is for, how it works, and for whom.
    pub fn read_new(&self) -> (TeamFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let fields = self.head(TeamSettings::default(), &mut errors);
        (fields, errors)
    }

    /// The whole form, and what is wrong with it by itself. Ids are looked up by the server.
    pub fn read(&self) -> (TeamFields, FieldErrors) {
        let mut errors = FieldErrors::default();
        let usual = TeamSettings::default();
        let instructions = lines(&self.instructions);
        if instructions.chars().count() > LONGEST_INSTRUCTIONS {
            errors.add("instructions", "Keep the instructions below 8,000 characters.");
        }
        let model = filled(&self.model);
        if model.as_ref().is_some_and(|model| model.chars().count() > 120) {
            errors.add("model", "Keep the model’s name below 120 characters.");
        }
        let account = id(&self.account, "account", "Choose an account from the list.", &mut errors);
        if account.is_some() != model.is_some() {
            let (field, message) = match account {
                Some(_) => ("model", "Name the model of this account, or choose no account."),
                None => ("account", "Choose the account that has this model, or leave the model empty."),
            };
            errors.add(field, message);
        }
        let whole = |text: &str, field: &str, (least, most): (u32, u32), errors: &mut FieldErrors| {
            let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
            number.unwrap_or_else(|| {
                errors.add(field, format!("Enter a whole number from {least} to {most}."));
                least
            })
        };
        let threshold = whole(&self.threshold, "threshold", (0, 100), &mut errors);
        let most_steps = whole(&self.most_steps, "most_steps", (1, 200), &mut errors);
        let most_seconds = whole(&self.most_seconds, "most_seconds", (10, 86_400), &mut errors);
        let memory_mb = whole(&self.memory_mb, "memory_mb", (16, 65_536), &mut errors);
        let most_cost = amount(&self.most_cost).unwrap_or_else(|| {
            errors.add("most_cost", "Enter an amount in US dollars from 0.01 to 1000, for example 0.50.");
            usual.most_cost.clone()
        });
        let engine = id(&self.engine, "engine", "Choose an engine from the list.", &mut errors);
        let target = id(&self.target, "target", "Choose a target from the list.", &mut errors);
        let settings = TeamSettings {
            instructions,
            account,
            model,
            threshold,
            most_steps,
            most_cost,
            most_seconds,
            rules: self.rules(&mut errors),
            engine,
            target,
            memory_mb,
            collections: self.ticked(COLLECTION_BOX),
            skills: self.ticked(SKILL_BOX),
        };
        let fields = self.head(settings, &mut errors);
        if self.note.trim().chars().count() > 200 {
            errors.add("note", "Keep the note below 200 characters.");
        }
        (fields, errors)
    }

    fn head(&self, settings: TeamSettings, errors: &mut FieldErrors) -> TeamFields {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            errors.add("name", "Give the team a name of at most 80 characters.");
        }
        let description = lines(&self.description);
        if description.chars().count() > LONGEST_DESCRIPTION {
            errors.add("description", "Keep the description below 500 characters.");
        }
        let mode = self.mode.parse().unwrap_or_else(|_| {
            errors.add("mode", "Choose how the team works.");
            TeamMode::Supervisor
        });
        let client = id(&self.client, "client", "Choose a client from the list.", errors);
        TeamFields { name, description, mode, client, settings }
    }

    /// Ids whose boxes are ticked, each once.
    fn ticked<T: std::str::FromStr>(&self, before: &str) -> Vec<T> {
        let ticked = self.more.iter().filter(|(_, value)| !value.trim().is_empty());
        ticked.filter_map(|(name, _)| name.strip_prefix(before)?.parse().ok()).take(100).collect()
    }

    fn rules(&self, errors: &mut FieldErrors) -> Vec<ApprovalRule> {
        let typed = (0..MOST_RULES).map(|number| (number, self.rule(number)));
        typed.filter_map(|(number, rule)| rule.read(number, errors)).collect()
    }

    /// A row of the form as it was typed.
    fn rule(&self, number: usize) -> RuleForm {
        let field = |name: &str| self.more.get(&format!("rule_{number}_{name}")).cloned().unwrap_or_default();
        RuleForm {
            name: field("name"),
            on: field("on"),
            tool: field("tool"),
            argument: field("argument"),
            worker: field("worker"),
            above: field("above"),
            minutes: field("minutes"),
            for_client: !field("client").is_empty(),
        }
    }
}

/// A message to a team, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskForm {
    pub team: String,
    /// Empty: a new session.
    pub session: String,
    pub message: String,
    /// Names the run, so that a second press makes no second one.
    pub key: String,
}

impl AskForm {
    /// Errors: `Invalid`.
    pub fn text(&self) -> Result<String, AppError> {
        let text = lines(&self.message);
        if text.is_empty() {
            return Err(AppError::invalid("message", "Write what the team is asked."));
        }
        if text.chars().count() > LONGEST_MESSAGE {
            return Err(AppError::invalid("message", "Keep the message below 8,000 characters."));
        }
        Ok(text)
    }
}

/// The form of a case, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseForm {
    pub team: String,
    pub id: String,
    pub name: String,
    /// With a line of three hyphens between two of them.
    pub messages: String,
    pub worker: String,
    pub asks_approval: Option<String>,
    pub output_contains: String,
    pub from_run: String,
}

impl CaseForm {
    /// Errors: `NotFound` for a team that is none; `Invalid` with a message per field.
    pub fn check(&self) -> Result<CaseFields, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            errors.add("name", "Give the case a name of at most 80 characters.");
        }
        let messages = split_messages(&self.messages);
        if messages.is_empty() || messages.len() > MOST_MESSAGES {
            errors.add("messages", "Write one to ten messages, with a line of three hyphens between two of them.");
        }
        if messages.iter().any(|message| message.chars().count() > LONGEST_MESSAGE) {
            errors.add("messages", "Keep each message below 8,000 characters.");
        }
        let worker = id(&self.worker, "worker", "Choose a worker from the list.", &mut errors);
        let output_contains = filled(&self.output_contains);
        if output_contains.as_ref().is_some_and(|text| text.chars().count() > 500) {
            errors.add("output_contains", "Keep it below 500 characters.");
        }
        let expects = CaseExpects { worker, asks_approval: self.asks_approval.is_some(), output_contains };
        let optional = |text: &str| filled(text).map(|text| text.parse()).transpose();
        errors.check()?;
        let id = filled(&self.id).map(|text| text.parse()).transpose()?;
        Ok(CaseFields { team: self.team.parse()?, id, name, messages, expects, from_run: optional(&self.from_run)? })
    }
}

/// Messages as the form shows them.
pub fn messages_text(messages: &[String]) -> String {
    messages.join("\n---\n")
}

fn split_messages(text: &str) -> Vec<String> {
    let mut messages = vec![String::new()];
    for line in lines(text).lines() {
        match (line.trim(), messages.last_mut()) {
            ("---", _) => messages.push(String::new()),
            (_, Some(last)) => {
                last.push_str(line);
                last.push('\n');
            }
            _ => {}
        }
    }
    messages.iter().map(|message| message.trim().to_owned()).filter(|message| !message.is_empty()).collect()
}

/// Text of several lines as it is kept.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\0', "").trim().to_owned()
}

pub(super) fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn id<T: std::str::FromStr>(text: &str, field: &str, message: &str, errors: &mut FieldErrors) -> Option<T> {
    let text = filled(text)?;
    let id = text.parse().ok();
    if id.is_none() {
        errors.add(field, message);
    }
    id
}

/// US dollars from a cent to a thousand, as decimal text.
pub(super) fn amount(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('$').trim();
    let value = read(text)?;
    let places = text.split_once('.').map_or(0, |(_, part)| part.len());
    let fits = (0.01..=1000.0).contains(&value) && places <= 4;
    fits.then(|| text.trim_end_matches('.').to_owned())
}

/// A team’s form as it stands.
impl TeamForm {
    pub fn of(id: TeamId, revision: i32, fields: &TeamFields) -> Self {
        let settings = &fields.settings;
        let text = |id: Option<String>| id.unwrap_or_default();
        let mut more = BTreeMap::new();
        for collection in &settings.collections {
            more.insert(format!("{COLLECTION_BOX}{collection}"), "true".to_owned());
        }
        for skill in &settings.skills {
            more.insert(format!("{SKILL_BOX}{skill}"), "true".to_owned());
        }
        Self {
            id: id.to_string(),
            revision: revision.to_string(),
            name: fields.name.clone(),
            description: fields.description.clone(),
            mode: fields.mode.as_str().to_owned(),
            client: text(fields.client.map(|id| id.to_string())),
            instructions: settings.instructions.clone(),
            account: text(settings.account.map(|id| id.to_string())),
            model: text(settings.model.clone()),
            threshold: settings.threshold.to_string(),
            most_steps: settings.most_steps.to_string(),
            most_cost: settings.most_cost.clone(),
            most_seconds: settings.most_seconds.to_string(),
            engine: text(settings.engine.map(|id| id.to_string())),
            target: text(settings.target.map(|id| id.to_string())),
            memory_mb: settings.memory_mb.to_string(),
            note: String::new(),
            overwrite: None,
            more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_execution::model::AsksFor;

    fn form(more: &[(&str, &str)]) -> TeamForm {
        let usual = TeamFields {
            name: "Policy service".to_owned(),
            description: String::new(),
            mode: TeamMode::Supervisor,
            client: None,
            settings: TeamSettings::default(),
        };
        let mut form = TeamForm::of(TeamId(uuid::Uuid::from_u128(1)), 1, &usual);
        form.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        form
    }

    #[test]
    fn a_form_says_what_was_stored() {
        let (fields, errors) = form(&[]).read();
        assert_eq!(errors, FieldErrors::default());
        assert_eq!(fields.settings, TeamSettings::default());
    }

    #[test]
    fn rules_are_read_row_by_row_and_empty_rows_are_none() {
        let typed = [
            ("rule_0_on", "tool"),
            ("rule_0_name", "Refunds above 50"),
            ("rule_0_tool", "refund_payment"),
            ("rule_0_argument", "amount"),
            ("rule_0_above", "50"),
            ("rule_0_minutes", "30"),
            ("rule_0_client", "true"),
            ("rule_1_name", "Nothing chosen"),
            ("rule_2_on", "process"),
            ("rule_2_name", "Scripts"),
            ("rule_2_minutes", "60"),
        ];
        let (fields, errors) = form(&typed).read();
        assert_eq!(errors, FieldErrors::default());
        let [first, second] = fields.settings.rules.as_slice() else { panic!("{:?}", fields.settings.rules) };
        assert!(first.for_client && second.when == AsksFor::Process);
        let shown = RuleForm::of(first);
        assert_eq!((shown.on.as_str(), shown.above.as_str(), shown.argument.as_str()), ("tool", "50", "amount"));

        let wrong = [("rule_3_on", "cost"), ("rule_3_name", ""), ("rule_3_above", "much"), ("rule_3_minutes", "0")];
        let (_, errors) = form(&wrong).read();
        for field in ["rule_3_name", "rule_3_above", "rule_3_minutes"] {
            assert!(errors.at(field).is_some(), "{field}: {errors:?}");
        }
    }

    #[test]
    fn messages_of_a_case_are_told_apart() {
        assert_eq!(split_messages("One\r\ntwo\r\n---\r\n\r\n---\nThree"), ["One\ntwo", "Three"]);
        assert_eq!(split_messages(&messages_text(&["a".to_owned(), "b".to_owned()])), ["a", "b"]);
    }
}
