//! What is set about an integration beside its sign-in, by its type.

use serde::{Deserialize, Serialize};

use super::CrmSettings;

/// A CRM's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrmConfig {
    pub settings: CrmSettings,
    /// Zoho: where the account lives, `eu` or `com`.
    pub region: String,
    /// How many contacts the CRM has, as it said last.
    pub remote_total: Option<i64>,
    /// Up to where changes of contacts and deals are known: times of the CRM's own clock, RFC 3339. None: nothing was read yet.
    pub contacts_until: Option<String>,
    pub deals_until: Option<String>,
    pub activities_until: Option<String>,
    /// When all activities were read last.
    pub activities_whole_at: Option<String>,
    /// Kinds of activities that the account did not let us read last time: of these all is to come.
    pub activities_missing: Vec<String>,
    /// Stages of deals, and what the service calls them.
    pub stages: Vec<(String, String)>,
    /// When contacts were read to the end last.
    pub read_at: Option<String>,
    /// When the next reading is to begin that a notice of the service has brought forward.
    pub read_soon_at: Option<String>,
    /// When a field was matched that no record was read with yet: the next reading takes all.
    pub mapped_at: Option<String>,
}

patchbay_shared::words! {
    /// What a person may do about a record that failed.
    pub Remedy: "text" {
        /// It may go well another time.
        Retry = "retry", "Retry", Mute;
        /// Their list has no such value.
        Map = "map", "Map it", Mute;
        /// The number cannot be read.
        Edit = "edit", "Edit", Mute;
        /// Both sides changed it.
        Choose = "choose", "Choose", Mute;
        /// It was merged into another one.
        Follow = "follow", "Follow", Mute;
    }
}
