mod kinds;
pub mod schema;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use kinds::{
    Calendar, ContactField, ContactLookup, ContactMemory, ContactUpdate, Destination, EndCall, FieldSpec, Function,
    Http, Input, Keypad, KindConfig, Knowledge, LONGEST_SPOKEN_TEXT, Mcp, Method, Offered, SendEmail, Source, Team,
    TextMessage, ToolConfig, ToolKind, Transfer, Values, Voicemail, WebSearch, as_text, at, escaped, filled_address,
    offered_name, origin, value,
};
use schema::TryField;

use patchbay_knowledge::model::FoundBy;
use patchbay_shared::ids::{AgentId, AgentToolId, CallId, ChunkId, ClientId, CollectionId, EntryId, ToolInvocationId};
use patchbay_shared::{AppError, FieldErrors, Page, Stamp};

/// The most tools that one agent may have: more of them and models choose badly.
pub const MOST_TOOLS: usize = 40;

patchbay_shared::words! {
    /// What became of a use.
    pub UseStatus: "text" {
        Running = "running", "Going on", Info;
        Succeeded = "succeeded", "Worked", Ok;
        Failed = "failed", "Failed", Bad;
    }
    /// Where a tool was used.
    pub Origin: "text" {
        Call = "call", "Live call", Mute;
        Try = "try", "Try", Mute;
        Run = "run", "Run", Mute;
    }
}

/// The agent whose tools are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentHead {
    pub id: AgentId,
    pub name: String,
    pub is_active: bool,
    pub client_id: Option<ClientId>,
    pub client: Option<String>,
}

/// A tool in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRow {
    pub id: AgentToolId,
    pub name: String,
    pub description: String,
    pub kind: ToolKind,
    pub summary: String,
    pub is_active: bool,
    /// Names and descriptions of the functions, when it offers several.
    pub functions: Vec<(String, String)>,
    /// The voice service does it itself on a live call.
    pub is_built_in: bool,
    pub counts: Counts,
    /// A function that was chosen is offered in other words now, or not any more.
    pub offer_differs: bool,
}

/// Uses in the last seven days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// In calls and runs.
    pub uses: i64,
    pub errors: i64,
    pub tries: i64,
    pub median_ms: Option<i64>,
}

/// An agent's tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolsPage {
    pub agent: AgentHead,
    pub tools: Vec<ToolRow>,
    /// The newest few uses.
    pub latest: Vec<UseRow>,
    pub may_edit: bool,
    /// Where the voice service asks; what is not https no service outside can ask.
    pub public_url: String,
}

/// One tool: its form, and the try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolPage {
    pub agent: AgentHead,
    pub tool: ToolRow,
    /// The kind's fields as they are stored.
    pub values: Values,
    pub choices: Choices,
    /// The function that is tried, of several.
    pub function: String,
    pub try_fields: Option<Vec<TryField>>,
    /// The function's parameters, as JSON text.
    pub schema: String,
    /// Clients that a try may be for, when the agent works for all.
    pub clients: Vec<(ClientId, String)>,
    pub tried: Option<UsePage>,
    /// What its server offers, for a kind that takes functions from one.
    pub offers: Option<Offers>,
    pub may_edit: bool,
}

/// What a server of functions offers, beside what was chosen of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offers {
    /// When the server was last asked. None: never.
    pub asked: Option<Stamp>,
    pub rows: Vec<OfferRow>,
}

patchbay_shared::words! {
    /// How what a server offers stands to what was chosen.
    pub OfferState: "text" {
        New = "new", "Not chosen", Mute;
        Chosen = "chosen", "Chosen", Ok;
        Changed = "changed", "Changed", Warn;
        Gone = "gone", "Not offered any more", Bad;
        Unfit = "unfit", "Cannot be used", Mute;
    }
}

/// One function of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferRow {
    /// Stands for exactly these words: a tick accepts them and no others.
    pub mark: String,
    /// The server's own name.
    pub name: String,
    /// What the model calls it.
    pub called: String,
    pub description: String,
    /// Its parameters, as JSON text.
    pub schema: String,
    pub state: OfferState,
    /// Description and parameters when it was chosen, where they are others now.
    pub was: Option<(String, String)>,
    /// Why it cannot be used.
    pub unfit: Option<String>,
}

/// What the fields of a kind's form offer.
pub type Choices = BTreeMap<Source, Vec<(String, String)>>;

/// What the form of a new tool starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewToolPage {
    pub agent: AgentHead,
    pub choices: Choices,
}

/// What uses are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UseQuery {
    pub tool: Option<String>,
    pub status: Option<String>,
    pub origin: Option<String>,
    /// `at`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One use, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UseRow {
    pub id: ToolInvocationId,
    pub tool_name: String,
    pub origin: Origin,
    pub status: UseStatus,
    pub call: Option<CallId>,
    /// Whom the call was with, or who tried it.
    pub who: String,
    /// The beginning of what the model read.
    pub answer: String,
    pub took_ms: Option<i32>,
    pub at: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UseList {
    pub agent: AgentHead,
    pub page: Page<UseRow>,
    /// Tools for the filter.
    pub tools: Vec<(AgentToolId, String)>,
}

/// One use with all that there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsePage {
    pub id: ToolInvocationId,
    pub agent: AgentHead,
    pub tool: AgentToolId,
    pub tool_name: String,
    pub origin: Origin,
    pub status: UseStatus,
    pub call: Option<CallId>,
    pub who: String,
    pub arguments: Value,
    pub answer: Option<String>,
    pub request: Option<String>,
    pub response: Option<String>,
    pub http_status: Option<i32>,
    pub took_ms: Option<i32>,
    pub at: Stamp,
}

/// A passage of knowledge that a model was given, as it is kept with the use: files are renamed and deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptPassage {
    pub entry: EntryId,
    pub chunk: ChunkId,
    pub collection: CollectionId,
    pub file: String,
    pub place: String,
    pub found_by: FoundBy,
}

/// A use in a call, for the call's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallUse {
    pub id: ToolInvocationId,
    pub tool_name: String,
    pub arguments: Value,
}

/// A tool's form, as posted. Without an id it makes a new tool. The kind's own fields stand beside these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolForm {
    pub agent: String,
    pub id: String,
    pub kind: String,
    pub tool_name: String,
    pub description: String,
    #[serde(flatten)]
    pub values: Values,
}

/// A tool's fields, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolFields {
    pub name: String,
    pub description: String,
    pub config: ToolConfig,
    /// By name; `None` keeps what is stored.
    pub secrets: Vec<(String, Option<String>)>,
}

impl ToolForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self, kind: ToolKind) -> Result<ToolFields, AppError> {
        let mut errors = FieldErrors::default();
        let name = self.tool_name.trim();
        if !schema::is_name(name) {
            errors.add(
                "tool_name",
                "Give it a name of 1 to 64 letters, digits, _ or -: the model calls it by this name.",
            );
        }
        if schema::is_name(name) && name.len() > kind.longest_name() {
            let text =
                format!("Keep it to {} letters: it stands before the name of each function.", kind.longest_name());
            errors.add("tool_name", text);
        }
        let description = self.description.trim().replace("\r\n", "\n");
        let is_told = !kind.has_functions();
        if is_told && description.is_empty() {
            errors.add("description", "Say what it does and when the agent should use it: the model reads this.");
        } else if description.chars().count() > 1000 {
            errors.add("description", "Keep the description below 1,000 characters.");
        }
        let config = kind.read(&self.values, &mut errors);
        let secrets = kind.secrets(&self.values, &mut errors);
        errors.check()?;
        Ok(ToolFields { name: name.to_owned(), description, config, secrets })
    }
}

/// Which functions of a server are chosen: a box `mark_…` for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChoiceForm {
    pub agent: String,
    pub id: String,
    #[serde(flatten)]
    pub values: Values,
}

/// The form of a try, as posted: `arg_…` for each parameter, or all of them as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TryForm {
    pub agent: String,
    pub id: String,
    pub function: String,
    /// For whom it is tried, when the agent works for all clients.
    pub client: String,
    /// The contact that the call would be with: a telephone number.
    pub phone: String,
    pub arguments: String,
    #[serde(flatten)]
    pub values: Values,
}
