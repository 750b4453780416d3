use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, Input, KindConfig, Source, Values, value};
use patchbay_shared::FieldErrors;
use patchbay_shared::ids::CollectionId;

/// What stands before a collection's id in the name of its box.
const BOX: &str = "collections_";
const USUAL: u32 = 4;
const MOST: u32 = 10;

/// Searches the agency's documents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Knowledge {
    pub collections: Vec<CollectionId>,
    /// The most passages that the model reads.
    pub passages: u32,
}

impl KindConfig for Knowledge {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "collections",
                "Collections",
                Input::Several(Source::KnowledgeCollections),
                "Only these are searched. Collections of another client than the call’s are left out.",
            ),
            FieldSpec::new(
                "passages",
                "Passages",
                Input::Line,
                "The most that the model reads for one question: 1 to 10.",
            ),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let ticked = values.iter().filter(|(_, value)| !value.trim().is_empty());
        let collections: Vec<CollectionId> =
            ticked.filter_map(|(name, _)| name.strip_prefix(BOX)?.parse().ok()).take(100).collect();
        if collections.is_empty() {
            errors.add("collections", "Choose at least one collection.");
        }
        let passages = match value(values, "passages") {
            "" => USUAL,
            text => text.parse().ok().filter(|number| (1..=MOST).contains(number)).unwrap_or_else(|| {
                errors.add("passages", format!("Enter a whole number from 1 to {MOST}."));
                USUAL
            }),
        };
        Self { collections, passages }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let ids: Vec<String> = self.collections.iter().map(ToString::to_string).collect();
        vec![("collections", ids.join(",")), ("passages", self.passages.to_string())]
    }

    fn summary(&self) -> String {
        match self.collections.len() {
            1 => "One collection".to_owned(),
            count => format!("{count} collections"),
        }
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "question": { "type": "string", "description": "The question in whole words, as one would search for it." } },
            "required": ["question"]
        })
    }

    fn only_reads(&self) -> bool {
        true
    }
}
