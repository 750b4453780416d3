//! What must hold before a batch dials: asked when it is made, at every tick, and before a call is placed again.

use super::pause_reason::PauseReason;
use patchbay_access::server::ReadTx;
use patchbay_agents::server::ops::CallableAgent;
use patchbay_campaigns::{Campaign, CampaignStatus};
use patchbay_shared::{AppError, Reason};

/// The agent that may dial for the campaign now, or what stands in the way. The workspace, the budget, the connection and the contact
/// are asked by whoever dials: their answers are more than yes and no.
pub(super) async fn ask(tx: &mut ReadTx, campaign: &Campaign) -> Result<Result<CallableAgent, PauseReason>, AppError> {
    if !campaign.client_is_active {
        return Ok(Err(PauseReason::ClientArchived));
    }
    if campaign.status != CampaignStatus::Active {
        return Ok(Err(PauseReason::CampaignNotActive));
    }
    if !campaign.number_is_ours {
        return Ok(Err(PauseReason::NumberReassigned));
    }
    if !campaign.number_is_active {
        return Ok(Err(PauseReason::NumberNotActive));
    }
    match patchbay_agents::server::ops::ready_to_call(tx, campaign.agent_id, campaign.client_id).await {
        Ok(agent) => Ok(Ok(agent)),
        Err(AppError::Conflict(Reason::NotReady, why)) => Ok(Err(PauseReason::AgentNotReady(why))),
        Err(error) => Err(error),
    }
}
