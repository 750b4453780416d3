//! Why Patchbay pauses a batch by itself.

use crate::model::Obstacle;

/// What happened. Whoever pauses names it; the words for people are made here, and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseReason {
    /// The platform has suspended the agency.
    Suspended,
    /// The account at the voice service cannot be used. With the sentence that says what to do about it.
    NotConnected(String),
    ClientArchived,
    CampaignNotActive,
    /// The agent may not call. With the sentence that says what to do about it.
    AgentNotReady(String),
    NumberNotActive,
    /// The campaign's number belongs to another client now.
    NumberReassigned,
    /// Five calls in a row were refused, each for itself. With what the service said.
    RefusedInARow(String),
    /// What the service refused it would refuse for every contact: no credit, or an agent that is gone. With what it said.
    RefusedForAll(String),
    /// Five calls in a row could not be placed: the service is down, or is not let in. With what happened.
    NotPlacedInARow(String),
}

impl PauseReason {
    /// What happened and what to do, for the batch's page.
    pub fn text(&self) -> String {
        match self {
            PauseReason::Suspended => {
                "The workspace is suspended. The batch goes on by itself when the workspace is reactivated.".to_owned()
            }
            PauseReason::ClientArchived => {
                "The client is archived: nothing is dialled for it. Restore the client, then resume the batch.".to_owned()
            }
            PauseReason::NotConnected(why) | PauseReason::AgentNotReady(why) => format!("{why} Then resume the batch."),
            PauseReason::CampaignNotActive => {
                "The campaign is not active any more. Activate it on its page, then resume the batch.".to_owned()
            }
            PauseReason::NumberNotActive => {
                "The campaign's number is not active any more. Choose another one on the campaign's page, then resume."
                    .to_owned()
            }
            PauseReason::NumberReassigned => {
                "The campaign's number belongs to another client now. Choose another one on the campaign's page, then resume."
                    .to_owned()
            }
            PauseReason::RefusedInARow(why) => {
                format!("Five calls in a row were refused. {why} Then resume the batch.")
            }
            PauseReason::RefusedForAll(why) => format!("{why} Then resume the batch: no contact was lost."),
            PauseReason::NotPlacedInARow(why) => {
                format!(
                    "Five calls in a row could not be placed. {why} Resume when it works again: no contact was lost."
                )
            }
        }
    }

    /// The same as a word, for whoever may not read the reason.
    pub fn obstacle(&self) -> Obstacle {
        match self {
            PauseReason::Suspended => Obstacle::Suspended,
            PauseReason::NotConnected(_) => Obstacle::NotConnected,
            PauseReason::ClientArchived => Obstacle::ClientArchived,
            PauseReason::CampaignNotActive => Obstacle::CampaignNotActive,
            PauseReason::AgentNotReady(_) => Obstacle::AgentNotReady,
            PauseReason::NumberNotActive => Obstacle::NumberNotActive,
            PauseReason::NumberReassigned => Obstacle::NumberReassigned,
            PauseReason::RefusedInARow(_) | PauseReason::RefusedForAll(_) => Obstacle::Refused,
            PauseReason::NotPlacedInARow(_) => Obstacle::NotPlaced,
        }
    }
}
