mod carrier;
mod config;
mod custom;
mod forms;
mod kept;
mod rows;
mod slack;
mod template;
mod told;
mod views;

use serde::{Deserialize, Serialize};

pub use carrier::{CarrierConfig, CarrierView};
pub use config::*;
pub use custom::*;
pub use forms::*;
pub use kept::*;
pub use rows::*;
pub use slack::*;
pub use template::{example, fill};
pub use told::{OUTCOMES, is_told};
pub use views::*;

patchbay_shared::words! {
    /// What kind of system it is.
    pub IntegrationType: "integration_type" {
        Hubspot = "hubspot", "HubSpot", Mute;
        Zoho = "zoho", "Zoho CRM", Mute;
        Twilio = "twilio", "Twilio", Mute;
        Plivo = "plivo", "Plivo", Mute;
        Slack = "slack", "Slack", Mute;
        CustomApi = "custom_api", "Custom API", Mute;
    }
    /// What a sync exchanges.
    pub SyncType: "sync_type" {
        Contacts = "contacts", "Contacts", Mute;
        Deals = "deals", "Deals", Mute;
        Activities = "activities", "Activities", Mute;
    }
    /// How a sync stands.
    pub SyncStatus: "sync_status" {
        Running = "running", "Running", Info;
        Success = "success", "Done", Ok;
        Failed = "failed", "Failed", Bad;
    }
    /// How one signs in at the other side.
    pub TokenType: "token_type" {
        Oauth2 = "oauth2", "Sign-in", Mute;
        ApiKey = "api_key", "API key", Mute;
        Jwt = "jwt", "Signed key", Mute;
    }
    /// Which way a field goes.
    pub Direction: "text" {
        In = "in", "From there to here", Mute;
        Out = "out", "From here to there", Mute;
        Both = "both", "Both ways", Mute;
        Kept = "kept", "Not exchanged", Mute;
    }
}

/// One line of a mapping: a field of ours and one of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMap {
    /// `name`, `phone`, `email`, `company`, `do_not_call`, or `detail:<name>` of a contact; `outcome`, `summary`, `callback_at`, `goal`, `score` or
    /// `answer:<field>` of a call's result.
    pub ours: String,
    /// The other side's names of the properties; two for a name.
    pub theirs: Vec<String>,
    pub direction: Direction,
    /// For values of a list: ours and theirs.
    #[serde(default)]
    pub values: Vec<(String, String)>,
}
