//! What each kind of tool does. A new kind has a file here and one in `model/kinds`, and a line in each of the two lists.

mod calendar;
mod contacts;
pub(crate) mod email;
mod http;
mod knowledge;
pub(crate) mod mcp;
mod memory;
pub(crate) mod team;
pub(crate) mod text_message;
pub(crate) mod transfer;
mod web_search;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::invoke::{AgentTool, Effect, Invocation};
use crate::model::{KeptPassage, ToolConfig, as_text};
use patchbay_access::server::Scope;
use patchbay_providers::Binding;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{AgentToolId, ToolInvocationId, WorkspaceId};

/// What the model hears of something that may have been done.
pub(crate) const NOT_KNOWN: &str = "It is not known whether this was done. Do not do it again.";

/// Values of a tool that are stored sealed, by name.
pub(crate) type Secrets = BTreeMap<String, String>;

/// One use, for the kind that does it.
pub(crate) struct Ask<'a> {
    pub scope: &'a Scope,
    pub tool: &'a AgentTool,
    /// They fit the function's parameters.
    pub arguments: &'a Map<String, Value>,
    pub invocation: &'a Invocation,
    pub id: ToolInvocationId,
    /// When there must be an answer.
    pub until: Instant,
}

impl Ask<'_> {
    /// An argument as text; empty when it is not there.
    pub fn text(&self, name: &str) -> String {
        self.arguments.get(name).map(as_text).unwrap_or_default().trim().to_owned()
    }

    /// What is left of the time.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// The tool's secrets. Nothing of them may get into what is shown.
    pub fn secrets(&self) -> Result<Secrets, AppError> {
        open(self.scope, self.tool.id, self.tool.sealed())
    }
}

/// What a kind has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What the model reads.
    pub text: String,
    pub is_error: bool,
    pub request: Option<String>,
    pub response: Option<String>,
    pub http_status: Option<u16>,
    pub effect: Option<Effect>,
    /// The passages of knowledge in the text.
    pub passages: Vec<KeptPassage>,
}

impl Done {
    pub fn said(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub fn failed(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_error: true, ..Self::default() }
    }

    fn with(effect: Effect, text: &str) -> Self {
        Self { effect: Some(effect), ..Self::said(text) }
    }
}

pub(crate) async fn run(ask: &Ask<'_>) -> Result<Done, AppError> {
    match &ask.tool.config {
        ToolConfig::ContactLookup(_) => contacts::look_up(ask).await,
        ToolConfig::ContactUpdate(config) => contacts::update(ask, config).await,
        ToolConfig::ContactMemory(_) => memory::run(ask).await,
        ToolConfig::Knowledge(config) => knowledge::run(ask, config).await,
        // On a live call the voice service does these itself.
        ToolConfig::Keypad(_) => Ok(Done::with(Effect::PressKeys(ask.text("digits")), "The keys were pressed.")),
        ToolConfig::EndCall(_) => Ok(Done::with(Effect::EndCall, "The call ends.")),
        ToolConfig::Voicemail(_) => {
            Ok(Done::with(Effect::Voicemail(ask.text("message")), "The message was left, and the call ends."))
        }
        ToolConfig::Transfer(config) => transfer::run(ask, config).await,
        ToolConfig::Team(config) => team::run(ask, config).await,
        ToolConfig::WebSearch(config) => web_search::run(ask, config).await,
        ToolConfig::SendEmail(config) => email::run(ask, config).await,
        ToolConfig::TextMessage(config) => text_message::run(ask, config).await,
        ToolConfig::Calendar(config) => calendar::run(ask, config).await,
        ToolConfig::Mcp(config) => mcp::run(ask, config).await,
        ToolConfig::Http(config) => http::run(ask, config).await,
    }
}

/// Where the secrets of a tool are sealed for.
fn binding(workspace: WorkspaceId, tool: AgentToolId) -> Binding {
    Binding::new(workspace.0, format!("agent_tool:{tool}"), "secrets")
}

/// Opens a tool's secrets.
pub(crate) fn open(scope: &Scope, tool: AgentToolId, sealed: Option<&str>) -> Result<Secrets, AppError> {
    match sealed {
        None => Ok(Secrets::new()),
        Some(sealed) => scope.services().ring.open(&binding(scope.workspace_id(), tool), sealed).map_err(internal),
    }
}

/// Seals a tool's secrets; none when there are none.
pub(crate) fn seal(scope: &Scope, tool: AgentToolId, secrets: &Secrets) -> Result<Option<String>, AppError> {
    if secrets.is_empty() {
        return Ok(None);
    }
    scope.services().ring.seal(&binding(scope.workspace_id(), tool), secrets).map(Some).map_err(internal)
}
