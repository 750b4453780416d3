mod checks;
mod diff;
mod labels;

use serde::{Deserialize, Serialize};

pub use checks::{
    CampaignNames, CampaignUse, LacksTools, Source, VariableCheck, check_variables, estimated_tokens, parse_tools,
};
pub use diff::{Diff, DiffPage, DiffRow, DiffSide, MergePage, Unsaved};
pub use labels::{
    LabelState, MOST_LABELS, MoveList, MoveQuery, MoveRow, MoveStatus, WaitingMove, in_order, read_label,
};
use patchbay_shared::ids::{AgentId, PromptId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

/// The label of the version that agents say. A prompt without it has its newest version said.
pub const PRODUCTION: &str = "production";
/// The label of a version that is being tried.
pub const STAGING: &str = "staging";
/// The longest template, in characters.
pub const LONGEST_TEMPLATE: usize = 50_000;

/// What the list is narrowed to. `state`: `active` (default), `inactive` or `all`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub tag: Option<String>,
    pub state: Option<String>,
    /// `yes`: a move of `production` waits for a second person.
    pub waiting: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptRow {
    pub id: PromptId,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    /// The newest version.
    pub version: i32,
    /// The version labelled `production`; none: agents say the newest.
    pub production: Option<i32>,
    /// A move of `production` waits for a second person.
    pub is_waiting: bool,
    /// Agents that use it.
    pub agents: i64,
    pub is_active: bool,
    pub updated: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptList {
    pub page: Page<PromptRow>,
    pub tags: Vec<String>,
    pub may_edit: bool,
}

/// One version in the list beside the editor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    pub version: i32,
    pub note: String,
    pub labels: Vec<String>,
    pub author: Option<String>,
    pub saved: Stamp,
}

impl VersionRow {
    pub fn is_production(&self) -> bool {
        self.labels.iter().any(|label| label == PRODUCTION)
    }
}

/// An agent that uses a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptUser {
    pub id: AgentId,
    pub name: String,
    pub is_live: bool,
}

/// Everything on a prompt's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptPage {
    pub id: PromptId,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub is_active: bool,
    /// The newest version's number.
    pub version: i32,
    /// Which version `template` is: the newest, or the one that was asked for.
    pub shown: i32,
    pub template: String,
    /// About how many tokens a model reads in it.
    pub tokens: usize,
    pub variables: Vec<VariableCheck>,
    /// Tools that the text relies on, and the agents that lack some of them.
    pub tools: Vec<String>,
    pub lacking: Vec<LacksTools>,
    pub versions: Vec<VersionRow>,
    pub labels: Vec<LabelState>,
    /// The version that agents say.
    pub spoken: i32,
    pub waiting: Option<WaitingMove>,
    pub needs_second_person: bool,
    /// The viewer may let one person move `production` again.
    pub may_lift_rule: bool,
    pub agents: Vec<PromptUser>,
    pub campaigns: Vec<CampaignUse>,
    /// A text of the viewer's that could not be saved waits to be merged.
    pub has_unsaved: bool,
    pub may_edit: bool,
}

/// What calls came to with one version. Each figure has the address of exactly its calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionOutcome {
    pub version: i32,
    pub calls: i64,
    pub answered: i64,
    pub goals: i64,
    pub goal_rate: String,
    /// Between which shares the goal rate lies with 95 % certainty; a dash without an answered call.
    pub interval: String,
    pub calls_at: String,
    pub answered_at: String,
    pub goals_at: String,
}

/// What calls of the last days came to, by version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    pub days: i64,
    /// The newest version first.
    pub rows: Vec<VersionOutcome>,
}

/// A prompt for a picker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptChoice {
    pub id: PromptId,
    pub name: String,
}

/// The editor's form, as posted. Without an id it makes a new prompt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptForm {
    #[serde(default)]
    pub id: String,
    /// The version that the text started from.
    #[serde(default)]
    pub base_version: String,
    pub name: String,
    pub template: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub tags: String,
    #[serde(default)]
    pub tools: String,
    #[serde(default)]
    pub note: String,
    /// Ticked: agents use this version from now on.
    #[serde(default)]
    pub production: Option<String>,
    /// Ticked after somebody else has saved meanwhile: save this text after theirs.
    #[serde(default)]
    pub overwrite: Option<String>,
}

/// A prompt's text and words about it, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptText {
    pub name: String,
    pub template: String,
    pub description: String,
    pub tags: Vec<String>,
    pub tools: Vec<String>,
    pub note: String,
}

impl PromptForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<PromptText, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 120 {
            errors.add("name", "Give the prompt a name of at most 120 characters.");
        }
        // Browsers send line ends as CR LF; the stored text has one form, so that equal texts are equal.
        let template = self.template.replace("\r\n", "\n");
        if let Err(message) = check_template(&template) {
            errors.add("template", message);
        }
        if self.description.chars().count() > 1000 {
            errors.add("description", "Keep the description below 1,000 characters.");
        }
        if self.note.chars().count() > 300 {
            errors.add("note", "Keep the note below 300 characters.");
        }
        let tags = match parse_tags(&self.tags) {
            Ok(tags) => tags,
            Err(message) => {
                errors.add("tags", message);
                Vec::new()
            }
        };
        let tools = parse_tools(&self.tools).unwrap_or_else(|message| {
            errors.add("tools", message);
            Vec::new()
        });
        errors.check()?;
        Ok(PromptText {
            name: name.to_owned(),
            template,
            description: self.description.trim().to_owned(),
            tags,
            tools,
            note: self.note.trim().to_owned(),
        })
    }
}

/// Checks a template. Errors: a sentence for the field.
pub fn check_template(template: &str) -> Result<(), String> {
    if template.trim().is_empty() {
        return Err("Write the agent's instructions.".to_owned());
    }
    if template.chars().count() > LONGEST_TEMPLATE {
        return Err("The prompt is too long: at most 50,000 characters.".to_owned());
    }
    if template.contains('\0') {
        return Err("The prompt holds a character that cannot be stored. Paste it as plain text.".to_owned());
    }
    // Anything else would be read out as it stands.
    if let Some(open) = template.split("{{").skip(1).find(|rest| !rest.contains("}}")) {
        let shown: String = open.chars().take(30).collect();
        return Err(format!(
            "“{{{{{shown}” opens a variable and does not close it. Write }}}} behind the variable's name."
        ));
    }
    if let Some(odd) = placeholders(template).find(|name| !is_variable(name)) {
        let shown: String = odd.chars().take(30).collect();
        return Err(format!(
            "“{{{{{shown}}}}}” is not a variable. Use letters, digits, dots and underscores, for example {{{{first_name}}}}."
        ));
    }
    Ok(())
}

/// The variables of a template, each once, in order of appearance.
pub fn variables(template: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in placeholders(template).filter(|name| is_variable(name)) {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// Whether a text can be this template with its variables filled in: what stands between them is there, in its order and nothing else.
pub fn is_filling_of(text: &str, template: &str) -> bool {
    let (text, mut pieces) = (text.trim(), template.trim().split("{{"));
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let fixed: Vec<&str> = pieces.map(|piece| piece.split_once("}}").map_or("", |(_, fixed)| fixed)).collect();
    let Some((last, middle)) = fixed.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Tags separated by commas: lower case, each once. Errors: a sentence for the field.
pub fn parse_tags(text: &str) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()) {
        if tag.chars().count() > 40 || tag.chars().any(char::is_control) {
            return Err("A tag has at most 40 characters. Separate tags with commas.".to_owned());
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > 20 { Err("At most 20 tags.".to_owned()) } else { Ok(tags) }
}

/// What stands between `{{` and `}}`, trimmed.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split("{{").skip(1).filter_map(|rest| rest.split_once("}}").map(|(name, _)| name.trim()))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 80
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_once_and_in_order() {
        assert_eq!(variables("Hi {{ name }}, {{company.city}} and {{name}}. {{ open"), ["name", "company.city"]);
        assert!(check_template("Hello {{first name}}").unwrap_err().contains("{{first name}}"));
        assert!(check_template("Hi {{name").unwrap_err().contains("“{{name”"));
        assert!(check_template("Hi {{name {{company}}").is_err());
        assert!(check_template(" \n").is_err());
        assert!(check_template("No variables, just { braces }.").is_ok());
    }

    #[test]
    fn tags_are_lower_case_and_single() {
        assert_eq!(parse_tags("Sales, sales ,  EU,").unwrap(), ["sales", "eu"]);
    }

    #[test]
    fn a_filled_template_is_recognised_and_another_one_is_not() {
        let first = "Hi {{ name }}, this is {{agent}}.";
        let second = "Hi {{ name }}, this is {{agent}}.\n\nAsk one question at a time.";
        let said = "Hi Rosa, this is Sam.";
        assert!(is_filling_of(said, first) && !is_filling_of(said, second));
        let said = "Hi Rosa, this is Sam.\n\nAsk one question at a time.\n";
        assert!(is_filling_of(said, second) && !is_filling_of(said, "Hi Rosa, this is Sam."));
        assert!(is_filling_of("Be brief.", "Be brief.") && !is_filling_of("Be brief. Please.", "Be brief."));
        assert!(is_filling_of("", "{{all}}") && !is_filling_of("", "a{{all}}") && !is_filling_of("a", "a{{b}}a"));
        assert!(!is_filling_of("Grüezi", "Grüe{{x}}zi zusammen"));
    }
}
