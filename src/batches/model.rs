crate::words! {
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
    pub BatchMode: "batch_mode" {
        Immediate = "immediate", "Now", Info;
        Scheduled = "scheduled", "At a set time", Info;
    }
}
