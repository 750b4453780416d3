//! Collections, their files, and passages.

use serde::{Deserialize, Serialize};

use patchbay_shared::decimals::fixed;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

pub mod kind;
pub mod meaning;

pub use kind::{Kind, UploadProblem};
pub use meaning::{FoundBy, Meaning, MeaningModel, Trouble, Way};
pub use patchbay_shared::ids::{ChunkId, CollectionId, EntryId};

/// The largest file.
pub const MAX_FILE: u64 = 50 * 1024 * 1024;
/// What the files of one client, and what all files of an agency, may take.
pub const MAX_OF_CLIENT: i64 = 2 * 1024 * 1024 * 1024;
pub const MAX_OF_AGENCY: i64 = 10 * 1024 * 1024 * 1024;
/// Files in one collection.
pub const MAX_ENTRIES: i64 = 2_000;
/// Letters of a name, a description and a question.
const MAX_NAME: usize = 80;
const MAX_DESCRIPTION: usize = 500;
pub const MAX_QUESTION: usize = 500;

patchbay_shared::words! {
    /// How far a file is.
    pub KnowledgeStatus: "text" {
        /// It waits to be read.
        Pending = "pending", "Waiting", Mute;
        Indexing = "indexing", "Indexing", Info;
        /// Its passages are found.
        Indexed = "indexed", "Indexed", Ok;
        Failed = "failed", "Failed", Bad;
    }
}

/// What the address of the list of collections says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CollectionQuery {
    #[serde(default, rename = "q")]
    pub words: Option<String>,
    /// The client of the switcher: what its agents can be given.
    #[serde(default)]
    pub client: Option<String>,
    /// A client's id, or `all` for what belongs to no client.
    #[serde(default)]
    pub of: Option<String>,
    #[serde(default)]
    pub sort: Option<String>,
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A collection in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionRow {
    pub id: CollectionId,
    pub name: String,
    pub description: String,
    /// None: for every client.
    pub client: Option<String>,
    pub entries: i64,
    pub passages: i64,
    /// Files that wait or are being indexed, and those that failed.
    pub busy: i64,
    pub failed: i64,
    pub bytes: i64,
    pub created: Stamp,
    /// Place in a list by age.
    pub key: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionList {
    pub page: Page<CollectionRow>,
    pub clients: Vec<(ClientId, String)>,
    /// Of all collections.
    pub meaning: Meaning,
}

/// A collection as other crates offer it in a picker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionChoice {
    pub id: CollectionId,
    pub name: String,
    /// None: for the agents of every client.
    pub client: Option<ClientId>,
}

/// A collection's page without its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    pub id: CollectionId,
    pub name: String,
    pub description: String,
    pub client: Option<(ClientId, String)>,
    pub is_of_archived_client: bool,
    pub entries: i64,
    pub passages: i64,
    pub busy: i64,
    pub failed: i64,
    pub bytes: i64,
}

/// What the address of a collection's page says about its files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EntryQuery {
    #[serde(default, rename = "q")]
    pub words: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub sort: Option<String>,
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A file in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryRow {
    pub id: EntryId,
    pub name: String,
    /// Where a page by address was read.
    pub source_url: Option<String>,
    pub kind: Kind,
    pub status: KnowledgeStatus,
    pub passages: i32,
    pub passages_expected: Option<i32>,
    pub units: Option<i32>,
    /// Search still finds what the file said before.
    pub has_passages: bool,
    pub bytes: i64,
    /// In English: `German`.
    pub language: Option<String>,
    pub error: Option<String>,
    pub uploaded_by: Option<String>,
    pub created: Stamp,
    pub indexed: Option<Stamp>,
    /// Place in a list by age.
    pub key: String,
}

impl EntryRow {
    /// How much of it is indexed, in percent; none while nobody knows.
    pub fn percent(&self) -> Option<i32> {
        let expected = self.passages_expected.filter(|expected| *expected > 0)?;
        (self.status == KnowledgeStatus::Indexing).then(|| self.passages.saturating_mul(100) / expected)
    }

    /// `18 pages · 96 passages`.
    pub fn size_text(&self) -> String {
        let passages = patchbay_shared::money::counted(self.passages.into(), "passage", "passages");
        let units = self.units.map(i64::from);
        let units = units.and_then(|units| match self.kind {
            Kind::Pdf => Some(patchbay_shared::money::counted(units, "page", "pages")),
            Kind::Csv | Kind::Xlsx => Some(patchbay_shared::money::counted(units, "row", "rows")),
            _ => None,
        });
        match (self.status, units) {
            (KnowledgeStatus::Indexed, Some(units)) => format!("{units} · {passages}"),
            (KnowledgeStatus::Indexed, None) => passages,
            _ => String::new(),
        }
    }
}

/// A collection's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionPage {
    pub collection: Collection,
    pub page: Page<EntryRow>,
    pub may_edit: bool,
    pub meaning: Meaning,
}

/// What the form of a collection offers and holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionChoices {
    pub clients: Vec<(ClientId, String)>,
    /// The one that is changed.
    pub collection: Option<Collection>,
}

/// The form of a collection. The client cannot be changed: agents of the old one may use it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CollectionForm {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// Empty: for every client.
    #[serde(default)]
    pub client: String,
}

/// A form whose fields are right.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedCollection {
    pub name: String,
    pub description: String,
    pub client: Option<ClientId>,
}

impl CollectionForm {
    pub fn check(&self) -> Result<CheckedCollection, AppError> {
        let mut errors = FieldErrors::default();
        let (name, description) = (self.name.trim().to_owned(), self.description.trim().to_owned());
        if name.is_empty() {
            errors.add("name", "Give the collection a name, for example “Prices and insurance”.");
        } else if name.chars().count() > MAX_NAME {
            errors.add("name", format!("Use at most {MAX_NAME} characters."));
        }
        if description.chars().count() > MAX_DESCRIPTION {
            errors.add("description", format!("Use at most {MAX_DESCRIPTION} characters."));
        }
        let client = match self.client.trim() {
            "" => None,
            text => text.parse().map(Some).unwrap_or_else(|_| {
                errors.add("client", "Choose a client from the list.");
                None
            }),
        };
        errors.check()?;
        Ok(CheckedCollection { name, description, client })
    }
}

/// A piece of a passage, marked when it is a word of the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub text: String,
    pub is_marked: bool,
}

/// A passage that fits a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    pub entry: EntryId,
    pub kind: Kind,
    pub file: String,
    pub place: String,
    pub pieces: Vec<Piece>,
    /// The share of the question's words that it has, mostly, from 0 to 1; none when it was not found by words.
    pub words: Option<f64>,
    /// How near it is to what the question means, from 0 to 1; none when it was not found by meaning.
    pub meaning: Option<f64>,
}

/// What a question found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub hits: Vec<Hit>,
    pub took_ms: i64,
    pub way: Way,
}

/// `480 kB`, `1.2 MB`: as the systems of most people count.
pub fn bytes_text(bytes: i64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", (bytes + 500) / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", fixed(bytes as f64 / 1e6, 1)),
        _ => format!("{} GB", fixed(bytes as f64 / 1e9, 1)),
    }
}

#[cfg(test)]
mod tests;
