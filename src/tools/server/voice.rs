//! What the voice service is told of an agent's tools.

use super::invoke::for_agent;
use super::store;
use patchbay_access::server::ReadTx;
use patchbay_providers::voice_tools::{BuiltInTool, HttpTool, VoiceTool, VoiceTools};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentId;

/// The agent's tools in the voice service's terms.
pub async fn tools(tx: &mut ReadTx, agent: AgentId) -> Result<VoiceTools, AppError> {
    let doors = format!("{}/hooks/tools/{}/", tx.services().public_url, tx.workspace_id());
    let all = for_agent(tx, agent).await?;
    let ours = all.into_iter().map(|tool| match tool.config.built_in() {
        Some((built_in, overrides)) => VoiceTool::BuiltIn(BuiltInTool {
            built_in: built_in.to_owned(),
            name: tool.name,
            description: tool.description,
            overrides,
        }),
        None => VoiceTool::Http(HttpTool {
            url: format!("{doors}{}/{}", tool.id, tool.name),
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            // The tool ends a little earlier than whoever waits for it, and says why.
            seconds: (tool.config.seconds() + 2).min(40),
        }),
    });
    Ok(VoiceTools { ours: ours.collect(), former: store::former_names(tx, agent).await?, doors })
}
