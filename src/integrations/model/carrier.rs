use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;

/// What is known of an account at a carrier beside its token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CarrierConfig {
    /// What is in the way between the voice service and the carrier, with what to do. None: nothing.
    pub voice_error: Option<String>,
    /// The voice service dials through this account of the carrier, which is another one: replacing it is for a person to decide.
    pub other_account: Option<String>,
    /// A digest of the token that the voice service was given.
    pub sent: Option<String>,
    /// The voice service had this account before we came: it keeps it.
    pub was_there: bool,
    /// RFC 3339: when the numbers were looked at last.
    pub numbers_at: Option<String>,
    /// Numbers of the account that are here under another one, and stay there.
    pub elsewhere: Vec<String>,
}

/// How an account at a carrier stands, for its page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarrierView {
    pub other_account: Option<String>,
    /// The voice service dials through it.
    pub is_given: bool,
    pub numbers_at: Option<Stamp>,
    pub elsewhere: Vec<String>,
    pub may_set: bool,
}
