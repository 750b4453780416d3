crate::words! {
    /// State of a queued webhook, enrichment or job.
    pub ProcessingStatus: "processing_status" {
        Pending = "pending", "Waiting", Mute;
        Processing = "processing", "Working", Info;
        Completed = "completed", "Done", Ok;
        Failed = "failed", "Failed", Bad;
    }
}
