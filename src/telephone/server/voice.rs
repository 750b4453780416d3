//! Bringing an agent to the line: the voice service is asked once per call. Our id in the metadata is what makes a call findable whose
//! answer never came.

use std::sync::Arc;
use std::time::Duration;

use patchbay_access::server::Scope;
use patchbay_agents::server::ops::CallableAgent;
use patchbay_agents::server::tool_token;
use patchbay_calls::server::fold::CALL_KEY;
use patchbay_providers::voice::{Line, NewVoiceCall, VoiceCall};
use patchbay_providers::{ProviderError, VoiceProvider};
use patchbay_shared::ids::CallId;

/// How long a caller waits for the voice service before the carrier is told to ask again.
const PATIENCE: Duration = Duration::from_millis(1800);

/// What asking came to.
pub(crate) enum Asked {
    Made(Box<VoiceCall>),
    /// It may have the call or not.
    Unknown(String),
    Refused(ProviderError),
}

/// The request for an agent. `line`: whom it talks with.
pub(crate) fn request(
    scope: &Scope,
    id: CallId,
    agent: &CallableAgent,
    line: Line,
    variables: serde_json::Value,
) -> NewVoiceCall {
    // Somebody who calls expects to be greeted, whatever the agent does when it calls.
    let first_speaker = match line {
        Line::Joined { .. } => Some(agent.greeting()),
        _ => None,
    };
    NewVoiceCall {
        agent_id: agent.provider_agent_id.clone(),
        line,
        variables,
        metadata: [(CALL_KEY.to_owned(), id.to_string())].into_iter().collect(),
        first_speaker,
        recording_enabled: None,
        max_duration: None,
        join_timeout: None,
        // Without it the call is made all the same, and its agent's tools refuse.
        tool_token: tool_token(scope.services(), scope.workspace_id(), id).ok(),
        leg_news_url: agent.leg_news_url.clone(),
    }
}

/// Asks and waits for the answer, but not longer than a caller does. The request goes on when nobody waits any more: it is made in a
/// task of its own, and the call is found by its metadata.
pub(crate) async fn ask(voice: &Arc<dyn VoiceProvider>, request: NewVoiceCall) -> Asked {
    let voice = voice.clone();
    let asking = tokio::spawn(async move { voice.create_call(&request).await });
    match tokio::time::timeout(PATIENCE, asking).await {
        Err(_) => Asked::Unknown("The voice service has not answered yet.".to_owned()),
        Ok(Err(broken)) => Asked::Unknown(broken.to_string()),
        Ok(Ok(Ok(call))) => Asked::Made(Box::new(call)),
        Ok(Ok(Err(error))) if error.outcome_unknown() => Asked::Unknown(error.sentence()),
        Ok(Ok(Err(error))) => Asked::Refused(error),
    }
}

/// The call at the voice service, if it has it.
pub(crate) async fn find(voice: &Arc<dyn VoiceProvider>, id: CallId) -> Result<Option<VoiceCall>, ProviderError> {
    let found = voice.find_calls_by_metadata(CALL_KEY, &id.to_string()).await?;
    Ok(found.into_iter().next())
}
