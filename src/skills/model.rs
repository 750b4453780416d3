//! A skill's text and its checks, lists, forms, and what an import is about to do.

mod forms;
mod told;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use patchbay_shared::ids::{AgentId, SkillId, SkillImportId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

pub use forms::{ImportForm, SkillFileForm, SkillForm};
pub use told::{characters, told};

/// Skills of an agency.
pub const MOST_SKILLS: i64 = 200;
/// Skills of an agent.
pub const MOST_OF_AGENT: usize = 30;
/// References of a skill, and scripts.
pub const MOST_FILES: usize = 20;
/// Characters of the instructions, and of a file.
pub const LONGEST_INSTRUCTIONS: usize = 20_000;
pub const LONGEST_FILE: usize = 20_000;
/// Characters that an agent is told of one skill, and of all that it has.
pub const LONGEST_SKILL: usize = 40_000;
pub const LONGEST_TOLD: usize = 60_000;
/// The common form of SKILL.md allows so many.
pub const LONGEST_NAME: usize = 64;
pub const LONGEST_DESCRIPTION: usize = 1024;
const LONGEST_CATEGORY: usize = 60;
const LONGEST_LICENSE: usize = 300;
const LONGEST_FILE_NAME: usize = 120;
const MOST_TOOLS: usize = 40;
const MOST_TAGS: usize = 20;
const MOST_METADATA: usize = 20;

/// A reference or a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillFile {
    pub name: String,
    pub content: String,
}

/// All that a skill says: what is exported, imported and compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillText {
    pub name: String,
    /// What it is for, and when to use it.
    pub description: String,
    pub instructions: String,
    pub category: String,
    pub license: String,
    /// Further words of an imported file's head.
    pub metadata: BTreeMap<String, String>,
    /// By name.
    pub references: Vec<SkillFile>,
    pub scripts: Vec<SkillFile>,
    pub allowed_tools: Vec<String>,
    pub tags: Vec<String>,
}

patchbay_shared::words! {
    /// Which list of a skill a file stands in.
    pub FileKind: "text" {
        Reference = "reference", "Reference", Mute;
        Script = "script", "Script", Mute;
    }
    /// What an import would do with a skill.
    pub ImportState: "text" {
        New = "new", "New", Ok;
        Changes = "changes", "Changes", Warn;
        Same = "same", "Same", Mute;
    }
    /// Why an archive was not taken.
    pub ArchiveProblem: "text" {
        NoFile = "no_file", "Choose an archive first.", Bad;
        Broken = "broken", "The upload broke off. Try again.", Bad;
        Busy = "busy", "Too many files are being uploaded at once. Try again in a minute.", Bad;
        Large = "large", "The file is larger than 8 MB. Import fewer skills at a time.", Bad;
        Kind = "kind", "This is neither a zip archive, nor a tar.gz archive, nor a SKILL.md file.", Bad;
        Damaged = "damaged", "The archive is damaged. Pack it again.", Bad;
        Locked = "locked", "The archive is encrypted. Pack it without a password.", Bad;
        Method = "method", "The archive is packed in a way that cannot be read. Pack it as zip with the usual method, or as tar.gz.", Bad;
        Unpacks = "unpacks", "The archive unpacks to more than 32 MB, or holds more than 10,000 files. Import fewer skills at a time.", Bad;
        Path = "path", "The archive holds a path that leads out of it, or that cannot be read. Pack the skills’ folders themselves.", Bad;
        Link = "link", "The archive holds a link or a device. Pack plain files only.", Bad;
        Nested = "nested", "The archive holds another archive. Unpack it first.", Bad;
        Doubled = "doubled", "The archive holds two files of one name, or of names that differ only in capital letters. Rename one.", Bad;
        Encoding = "encoding", "A text in the archive is not UTF-8. Save it as UTF-8.", Bad;
        NoSkill = "no_skill", "The archive holds no SKILL.md. Each skill is a folder with a file of this name.", Bad;
        Inside = "inside", "A skill lies in the folder of another one. Give each its own folder.", Bad;
        Many = "many", "The archive holds more than 200 skills. Import fewer at a time.", Bad;
        Head = "head", "SKILL.md does not begin with a head that can be read: name and description between two lines of ---.", Bad;
        Text = "text", "A skill in the archive is not complete, or holds something that cannot be stored.", Bad;
        Waiting = "waiting", "Too many imports wait to be looked at. Take or discard one first.", Bad;
    }
}

/// What the list is narrowed to. `state`: `active` (default), `inactive` or `all`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SkillQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub category: Option<String>,
    pub tag: Option<String>,
    pub state: Option<String>,
    /// `name` (default) or `changed`, with `-` in front for the other way.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkillRow {
    pub id: SkillId,
    pub name: String,
    pub description: String,
    pub category: String,
    pub tags: Vec<String>,
    pub characters: i32,
    /// Agents that have it.
    pub agents: i64,
    pub is_active: bool,
    pub updated: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkillList {
    pub page: Page<SkillRow>,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
}

/// An agent that has a skill, or may get one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillAgent {
    pub id: AgentId,
    pub name: String,
    pub is_active: bool,
    /// Tools that the skill names and the agent has not.
    pub missing: Vec<String>,
}

/// Everything on a skill's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkillPage {
    pub id: SkillId,
    pub text: SkillText,
    pub characters: i32,
    pub revision: i32,
    pub is_active: bool,
    pub updated: Stamp,
    pub agents: Vec<SkillAgent>,
    /// Agents that can be given it.
    pub others: Vec<SkillAgent>,
    pub may_edit: bool,
    pub may_attach: bool,
}

/// A skill of an agent, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentSkill {
    pub id: SkillId,
    pub name: String,
    pub description: String,
    pub characters: i32,
    pub is_active: bool,
    pub missing: Vec<String>,
}

/// An agent's skills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentSkillsPage {
    pub agent: SkillAgent,
    pub skills: Vec<AgentSkill>,
    /// Active skills that it has not.
    pub others: Vec<(SkillId, String)>,
    /// What it is told now.
    pub told: Option<String>,
    pub may_edit: bool,
}

/// A skill in an archive, beside the one that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRow {
    pub name: String,
    pub description: String,
    /// The beginning of the instructions.
    pub beginning: String,
    pub references: usize,
    pub scripts: usize,
    pub characters: i64,
    pub state: ImportState,
    /// The one that would be changed, and its revision now; without one, 0.
    pub known: Option<SkillId>,
    pub revision: i32,
    /// It is deactivated, and stays so.
    pub is_inactive: bool,
    /// Agents that would be told something else.
    pub agents: i64,
    /// Words for what differs: `description`, `instructions`, `prices.md`.
    pub changes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportPage {
    pub id: SkillImportId,
    pub file_name: String,
    pub rows: Vec<ImportRow>,
    pub left_out: Vec<String>,
}

impl SkillText {
    pub fn files(&self, kind: FileKind) -> &Vec<SkillFile> {
        match kind {
            FileKind::Reference => &self.references,
            FileKind::Script => &self.scripts,
        }
    }

    pub fn files_mut(&mut self, kind: FileKind) -> &mut Vec<SkillFile> {
        match kind {
            FileKind::Reference => &mut self.references,
            FileKind::Script => &mut self.scripts,
        }
    }

    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<(), AppError> {
        let mut errors = FieldErrors::default();
        self.check_into(&mut errors);
        for kind in FileKind::ALL {
            let files = self.files(*kind);
            if files.len() > MOST_FILES {
                errors
                    .add("file_name", format!("A skill has at most {MOST_FILES} references and {MOST_FILES} scripts."));
                continue;
            }
            for file in files {
                if let Err(message) = check_file_name(&file.name).and_then(|()| check_content(file)) {
                    errors.add("content", format!("{}: {message}", file.name));
                }
            }
            let same = |a: &SkillFile, b: &SkillFile| a.name.to_lowercase() == b.name.to_lowercase();
            if let Some(twice) =
                files.iter().enumerate().find(|(at, file)| files[..*at].iter().any(|one| same(one, file)))
            {
                errors
                    .add("file_name", format!("There is already a file named {}. Choose another name.", twice.1.name));
            }
        }
        if errors.0.is_empty() {
            self.check_length(&mut errors);
        }
        errors.check()
    }

    fn check_length(&self, errors: &mut FieldErrors) {
        let long = characters(self);
        if long > LONGEST_SKILL {
            errors.add(
                "content",
                format!("With its references and scripts the skill has {long} characters. At most {LONGEST_SKILL} are told: shorten it, or make two skills of it."),
            );
        }
    }

    fn check_into(&self, errors: &mut FieldErrors) {
        if !is_name(&self.name) {
            errors.add(
                "name",
                "Use small letters a to z, digits and single hyphens, at most 64, for example booking-visits.",
            );
        }
        let length = |text: &str| text.chars().count();
        if self.description.is_empty() {
            errors.add("description", "Say what the skill is for and when to use it: the model decides by this.");
        } else if length(&self.description) > LONGEST_DESCRIPTION {
            errors.add("description", "Keep the description below 1,024 characters.");
        }
        if self.instructions.is_empty() {
            errors.add("instructions", "Write what the agent should do.");
        } else if length(&self.instructions) > LONGEST_INSTRUCTIONS {
            errors.add(
                "instructions",
                "Keep the instructions below 20,000 characters. Move what is looked up into a reference.",
            );
        }
        if length(&self.category) > LONGEST_CATEGORY {
            errors.add("category", "Keep the category below 60 characters.");
        }
        if length(&self.license) > LONGEST_LICENSE {
            errors.add("license", "Keep the license below 300 characters.");
        }
        if self.allowed_tools.len() > MOST_TOOLS {
            errors.add("allowed_tools", "Name at most 40 tools.");
        } else if self.allowed_tools.iter().any(|tool| length(tool) > 100) {
            errors.add("allowed_tools", "The name of a tool has at most 100 characters. Put spaces between names.");
        }
        if self.tags.len() > MOST_TAGS || self.tags.iter().any(|tag| length(tag) > 40) {
            errors.add("tags", "At most 20 tags of 40 characters each.");
        }
        let too_much = |(key, value): (&String, &String)| length(key) > 60 || length(value) > 500;
        if self.metadata.len() > MOST_METADATA || self.metadata.iter().any(too_much) {
            errors.add("metadata", "At most 20 entries of metadata, each of at most 500 characters.");
        }
    }
}

/// One kind of line end, so that equal texts are equal on every system.
pub fn clean(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n")
}

/// `booking-visits`.
pub fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.split('-').all(|part| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        })
}

/// A path below `references` or `scripts`. Errors: a sentence.
pub fn check_file_name(name: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', ' '])
            && !part.ends_with(['.', ' '])
            && part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | ' '))
    };
    if name.chars().count() > LONGEST_FILE_NAME || !name.split('/').all(is_part) {
        return Err(
            "Use letters, digits, dots, hyphens and underscores, at most 120, for example prices.md.".to_owned()
        );
    }
    Ok(())
}

fn check_content(file: &SkillFile) -> Result<(), String> {
    if file.content.trim().is_empty() {
        return Err("Write what stands in the file.".to_owned());
    }
    if file.content.chars().count() > LONGEST_FILE {
        return Err("Keep a file below 20,000 characters.".to_owned());
    }
    Ok(())
}

/// Names of tools with spaces or commas between them. What stands in brackets belongs to its name: `Bash(git add *)`.
pub fn split_tools(text: &str) -> Vec<String> {
    let (mut tools, mut name, mut depth): (Vec<String>, String, usize) = (Vec::new(), String::new(), 0);
    for letter in text.chars().chain([' ']) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (letter == ',' || letter.is_whitespace()) {
            if !name.is_empty() && !tools.contains(&name) {
                tools.push(std::mem::take(&mut name));
            }
            name.clear();
        } else {
            name.push(letter);
        }
    }
    // A bracket that is never closed: the rest is one name.
    let rest = name.trim();
    if !rest.is_empty() {
        tools.push(rest.to_owned());
    }
    tools
}

/// Tags separated by commas: small letters, each once.
pub fn split_tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// About how many tokens a text of so many characters is: models differ.
pub fn tokens_text(characters: i64) -> String {
    format!("~{}", patchbay_shared::money::count_text((characters + 3) / 4))
}

#[cfg(test)]
mod tests;
