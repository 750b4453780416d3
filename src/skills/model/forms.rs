//! What the forms of a skill and of its files post.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MOST_TAGS, SkillFile, SkillText, check_content, check_file_name, clean, split_tags, split_tools};
use patchbay_shared::{AppError, FieldErrors};

/// A skill's form, as posted. Without an id it makes a new skill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SkillForm {
    pub id: String,
    /// The revision that the text started from.
    pub revision: String,
    pub name: String,
    pub description: String,
    pub instructions: String,
    pub category: String,
    pub license: String,
    pub allowed_tools: String,
    pub tags: String,
    /// Ticked after somebody else has saved meanwhile.
    pub overwrite: Option<String>,
}

impl SkillForm {
    /// What the form says; metadata and files are not in it. Errors: `Invalid` with a message per field.
    pub fn text(&self) -> Result<SkillText, AppError> {
        let mut errors = FieldErrors::default();
        let tags = read_tags(&self.tags, &mut errors);
        let allowed_tools = split_tools(&self.allowed_tools);
        let text = SkillText {
            name: self.name.trim().to_owned(),
            description: clean(&self.description).trim().to_owned(),
            instructions: clean(&self.instructions).trim().to_owned(),
            category: self.category.trim().to_owned(),
            license: self.license.trim().to_owned(),
            allowed_tools,
            tags,
            ..SkillText::default()
        };
        text.check_into(&mut errors);
        errors.check()?;
        Ok(text)
    }
}

/// The form of a reference or script, as posted. With `old_name` it takes the place of that one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SkillFileForm {
    pub id: String,
    pub revision: String,
    pub kind: String,
    pub old_name: String,
    pub file_name: String,
    pub content: String,
    pub overwrite: Option<String>,
}

impl SkillFileForm {
    /// Errors: `Invalid`.
    pub fn file(&self) -> Result<SkillFile, AppError> {
        let file = SkillFile { name: self.file_name.trim().to_owned(), content: clean(&self.content) };
        let mut errors = FieldErrors::default();
        if let Err(message) = check_file_name(&file.name) {
            errors.add("file_name", message);
        }
        if let Err(message) = check_content(&file) {
            errors.add("content", message);
        }
        errors.check()?;
        Ok(file)
    }
}

fn read_tags(text: &str, errors: &mut FieldErrors) -> Vec<String> {
    let tags = split_tags(text);
    if tags.len() > MOST_TAGS || tags.iter().any(|tag| tag.chars().count() > 40) {
        errors.add("tags", "At most 20 tags of 40 characters each, with commas between them.");
        return Vec::new();
    }
    tags
}

/// What is taken of an import, as posted: `take_<name>` with the revision that was shown, 0 for a new skill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportForm {
    pub id: String,
    #[serde(flatten)]
    pub chosen: BTreeMap<String, String>,
}

impl ImportForm {
    /// The revision that a chosen skill was shown in.
    pub fn revision(&self, name: &str) -> Option<i32> {
        self.chosen.get(&format!("take_{name}"))?.parse().ok()
    }
}
