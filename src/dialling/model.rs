//! Where a batch and the contacts in it stand. Pure.

pub mod call_back;

patchbay_shared::words! {
    /// Where a contact stands in a campaign.
    pub ContactStatus: "contact_status" {
        Pending = "pending", "Waiting", Mute;
        Scheduled = "scheduled", "In a batch", Info;
        Calling = "calling", "Calling", Live;
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
    }
}

patchbay_shared::words! {
    pub BatchStatus: "batch_status" {
        /// Created, not yet picked up by a worker.
        Pending = "pending", "Starting", Info;
        Scheduled = "scheduled", "Scheduled", Info;
        Processing = "processing", "Calling", Live;
        Paused = "paused", "Paused", Warn;
        Completed = "completed", "Completed", Ok;
        /// A person ended it early. The database keeps it as completed with `stopped_at`; whoever reads a batch tells the two apart.
        Stopped = "stopped", "Stopped", Mute;
        /// The batch itself could not go on; the reason stands beside it.
        Failed = "failed", "Failed", Bad;
    }
}

patchbay_shared::words! {
    /// Why Patchbay itself paused or failed a batch. The label is what a client's people read: the agency reads the reason itself, which
    /// names its accounts.
    pub Obstacle: "batch_obstacle" {
        /// It goes on by itself.
        Suspended = "suspended", "The agency's workspace is suspended. Calls go on when it is active again.", Warn;
        ClientArchived = "client_archived", "Calls for this client have been ended by the agency.", Warn;
        CampaignNotActive = "campaign_not_active", "The campaign is not active any more.", Warn;
        AgentNotReady = "agent_not_ready", "The agent cannot call at the moment. The agency sees why.", Warn;
        NumberNotActive = "number_not_active", "The number that calls go out from is not active any more.", Warn;
        NumberReassigned = "number_reassigned", "The number that calls went out from is no longer this campaign's.", Warn;
        NotConnected = "not_connected", "Calls cannot be placed at the moment. The agency sees why.", Warn;
        Refused = "refused", "Calls were refused. The agency sees why.", Warn;
        NotPlaced = "not_placed", "Calls could not be placed. The agency sees why.", Warn;
    }
}

impl BatchStatus {
    /// Whether a person may take a batch from this state to `next`.
    pub fn may_become(self, next: BatchStatus) -> bool {
        use BatchStatus::*;
        matches!(
            (self, next),
            (Pending | Scheduled | Processing, Paused)
                | (Paused | Failed, Pending)
                | (Pending | Scheduled | Processing | Paused, Stopped)
        )
    }

    /// Nothing more will be dialled.
    pub fn is_over(self) -> bool {
        matches!(self, BatchStatus::Completed | BatchStatus::Stopped | BatchStatus::Failed)
    }
}
