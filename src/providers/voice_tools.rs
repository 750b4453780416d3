//! Tools that an agent uses on a call, as a voice service is told of them.

use serde_json::Value;

/// The header with which a request for a tool of ours shows the call's token.
pub const TOKEN_HEADER: &str = "X-Patchbay-Call";
/// The header with the voice service's id of the call.
pub const CALL_HEADER: &str = "X-Voice-Call";
/// The variable of a call that holds its token.
pub const TOKEN_VARIABLE: &str = "patchbay_call_token";

/// The tools of an agent: ours as they are to be. What else the service holds stays there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VoiceTools {
    pub ours: Vec<VoiceTool>,
    /// Names of tools that were ours, or are and rest.
    pub former: Vec<String>,
    /// Where our tools are asked: what leads there is ours, under whatever name.
    pub doors: String,
}

/// A tool of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum VoiceTool {
    BuiltIn(BuiltInTool),
    Http(HttpTool),
}

impl VoiceTool {
    /// What the model calls.
    pub fn name(&self) -> &str {
        match self {
            VoiceTool::BuiltIn(tool) => &tool.name,
            VoiceTool::Http(tool) => &tool.name,
        }
    }
}

/// What the service does itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BuiltInTool {
    /// The service's name for it.
    pub built_in: String,
    pub name: String,
    pub description: String,
    /// Fixed values of its parameters: a JSON object.
    pub overrides: Value,
}

/// What the service asks us for.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpTool {
    pub name: String,
    pub description: String,
    /// A JSON Schema of an object. Its properties come as the members of a JSON object.
    pub parameters: Value,
    pub url: String,
    /// How long the service waits, at most 40.
    pub seconds: u32,
}
