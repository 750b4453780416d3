//! What must hold before a batch dials: asked when it is made, at every tick, and before a call is placed again.

use super::halt_reason::HaltReason;
use patchbay_access::server::ReadTx;
use patchbay_agents::server::ops::CallableAgent;
use patchbay_campaigns::{Campaign, CampaignStatus};
use patchbay_shared::{AppError, Reason};

/// The agent that may dial for the campaign now, or what stands in the way. The workspace, the budget, the connection and the contact
/// are asked by whoever dials: their answers are more than yes and no.
pub(super) async fn ask(tx: &mut ReadTx, campaign: &Campaign) -> Result<Result<CallableAgent, HaltReason>, AppError> {
    if !campaign.client_is_active {
        return Ok(Err(HaltReason::ClientArchived));
    }
    if campaign.status != CampaignStatus::Active {
        return Ok(Err(HaltReason::CampaignNotActive));
    }
    if !campaign.number_is_ours {
        return Ok(Err(HaltReason::NumberReassigned));
    }
    if !campaign.number_is_active {
        return Ok(Err(HaltReason::NumberNotActive));
    }
    match patchbay_agents::server::ops::ready_to_call(tx, campaign.agent_id, campaign.client_id).await {
        Ok(agent) => Ok(Ok(agent)),
        Err(AppError::Conflict(Reason::NotReady, why)) => Ok(Err(HaltReason::AgentNotReady(why))),
        Err(error) => Err(error),
    }
}
