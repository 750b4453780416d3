//! Why Patchbay halts a batch by itself: pauses it, or ends it as failed.

use crate::model::Obstacle;

/// What happened. Whoever halts a batch names it; the words for people are made here, and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HaltReason {
    /// The platform has suspended the agency.
    Suspended,
    /// There is no account at the voice service that can be used. With the sentence that says what to do about it.
    NotConnected(String),
    /// The voice service does not accept the account's key. With what it said.
    KeyRejected(String),
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

impl HaltReason {
    /// The batch itself cannot go on, so it fails and its contacts go back to the campaign. All else passes or is a matter of state: the
    /// batch keeps its contacts and pauses.
    pub fn fails(&self) -> bool {
        matches!(
            self,
            HaltReason::NotConnected(_)
                | HaltReason::KeyRejected(_)
                | HaltReason::NumberNotActive
                | HaltReason::NumberReassigned
        )
    }

    /// What happened and what to do, for the batch's page.
    pub fn text(&self) -> String {
        match self {
            HaltReason::Suspended => {
                "The workspace is suspended. The batch goes on by itself when the workspace is reactivated.".to_owned()
            }
            HaltReason::ClientArchived => {
                "The client is archived: nothing is dialled for it. Restore the client, then resume the batch.".to_owned()
            }
            HaltReason::NotConnected(why) | HaltReason::KeyRejected(why) | HaltReason::AgentNotReady(why) => {
                format!("{why} Then resume the batch.")
            }
            HaltReason::CampaignNotActive => {
                "The campaign is not active any more. Activate it on its page, then resume the batch.".to_owned()
            }
            HaltReason::NumberNotActive => {
                "The campaign's number is not active any more. Choose another one on the campaign's page, then resume."
                    .to_owned()
            }
            HaltReason::NumberReassigned => {
                "The campaign's number belongs to another client now. Choose another one on the campaign's page, then resume."
                    .to_owned()
            }
            HaltReason::RefusedInARow(why) => {
                format!("Five calls in a row were refused. {why} Then resume the batch.")
            }
            HaltReason::RefusedForAll(why) => format!("{why} Then resume the batch: no contact was lost."),
            HaltReason::NotPlacedInARow(why) => {
                format!(
                    "Five calls in a row could not be placed. {why} Resume when it works again: no contact was lost."
                )
            }
        }
    }

    /// What happened, without what to do about the batch.
    pub fn what(&self) -> String {
        match self {
            HaltReason::Suspended => "The workspace is suspended.".to_owned(),
            HaltReason::ClientArchived => "The client is archived: nothing is dialled for it.".to_owned(),
            HaltReason::NotConnected(why)
            | HaltReason::KeyRejected(why)
            | HaltReason::AgentNotReady(why)
            | HaltReason::RefusedInARow(why)
            | HaltReason::RefusedForAll(why)
            | HaltReason::NotPlacedInARow(why) => why.clone(),
            HaltReason::CampaignNotActive => "The campaign is not active any more.".to_owned(),
            HaltReason::NumberNotActive => "The campaign's number is not active any more.".to_owned(),
            HaltReason::NumberReassigned => "The campaign's number belongs to another client now.".to_owned(),
        }
    }

    /// The same as a word, for whoever may not read the reason.
    pub fn obstacle(&self) -> Obstacle {
        match self {
            HaltReason::Suspended => Obstacle::Suspended,
            HaltReason::NotConnected(_) | HaltReason::KeyRejected(_) => Obstacle::NotConnected,
            HaltReason::ClientArchived => Obstacle::ClientArchived,
            HaltReason::CampaignNotActive => Obstacle::CampaignNotActive,
            HaltReason::AgentNotReady(_) => Obstacle::AgentNotReady,
            HaltReason::NumberNotActive => Obstacle::NumberNotActive,
            HaltReason::NumberReassigned => Obstacle::NumberReassigned,
            HaltReason::RefusedInARow(_) | HaltReason::RefusedForAll(_) => Obstacle::Refused,
            HaltReason::NotPlacedInARow(_) => Obstacle::NotPlaced,
        }
    }
}
