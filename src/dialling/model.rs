//! Where a batch and the contacts in it stand. Pure.

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
        /// The batch itself could not go on; the reason stands beside it.
        Failed = "failed", "Failed", Bad;
    }
}

impl BatchStatus {
    /// Whether a person may take a batch from this state to `next`. Stopping is to `Completed`.
    pub fn may_become(self, next: BatchStatus) -> bool {
        use BatchStatus::*;
        matches!(
            (self, next),
            (Pending | Scheduled | Processing, Paused)
                | (Paused, Pending)
                | (Pending | Scheduled | Processing | Paused, Completed)
        )
    }

    /// Nothing more will be dialled.
    pub fn is_over(self) -> bool {
        matches!(self, BatchStatus::Completed | BatchStatus::Failed)
    }
}
