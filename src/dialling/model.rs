//! Where a batch and the contacts in it stand. Pure.

patchbay_shared::words! {
    /// Where a contact stands in a campaign.
    pub ContactStatus: "contact_status" {
        Pending = "pending", "Waiting", Mute;
        Scheduled = "scheduled", "In a batch", Info;
        Calling = "calling", "Calling", Live;
        Completed = "completed", "Done", Ok;
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
    /// What has become of a batch's contact so far. The legend of a batch counts these, and the list of contacts narrows to them.
    pub Became: "text" {
        Answered = "answered", "Answered", Ok;
        /// Tried to the end, and nobody spoke: no answer, busy, declined, voicemail.
        Unreached = "unreached", "Not reached", Mute;
        Failed = "failed", "Failed", Bad;
        Calling = "calling", "On the line", Live;
        Waiting = "waiting", "Waiting", Mute;
    }
}

impl BatchStatus {
    /// Whether a person may take a batch from this state to `next`.
    pub fn may_become(self, next: BatchStatus) -> bool {
        use BatchStatus::*;
        matches!(
            (self, next),
            (Pending | Scheduled | Processing, Paused)
                | (Paused, Pending)
                | (Pending | Scheduled | Processing | Paused, Stopped)
        )
    }

    /// Nothing more will be dialled.
    pub fn is_over(self) -> bool {
        matches!(self, BatchStatus::Completed | BatchStatus::Stopped | BatchStatus::Failed)
    }
}
