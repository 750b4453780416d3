//! The account at a carrier that a voice service dials through.

use crate::sealed::Secret;

/// An account at a carrier, for the voice service to dial through.
#[derive(Debug, Clone)]
pub struct CarrierAccount {
    /// The carrier's id of the account.
    pub account_id: String,
    pub api_key: Secret<String>,
    /// Base64: what the carrier's reports are checked with.
    pub public_key: String,
    /// The carrier's application that calls go out through.
    pub application_id: String,
}

/// What the voice service holds of a carrier account. It never tells the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCarrier {
    pub account_id: Option<String>,
    pub application_id: Option<String>,
    /// The first letters of the key.
    pub key_prefix: Option<String>,
}

impl HeldCarrier {
    /// Whether it is this account, as far as can be seen.
    pub fn is(&self, account: &CarrierAccount) -> bool {
        let prefix = self.key_prefix.as_deref().unwrap_or_default();
        self.account_id.as_deref() == Some(&account.account_id)
            && self.application_id.as_deref() == Some(&account.application_id)
            && account.api_key.expose().trim().starts_with(prefix)
    }
}

/// What the voice service holds of an account at a carrier that is known by id and token. It never tells the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTrunk {
    pub account_id: Option<String>,
    /// The first letters of the token.
    pub token_prefix: Option<String>,
}

impl HeldTrunk {
    /// Whether it is this account, as far as can be seen.
    pub fn is(&self, account_id: &str, token: &Secret<String>) -> bool {
        let prefix = self.token_prefix.as_deref().unwrap_or_default();
        self.account_id.as_deref() == Some(account_id) && token.expose().trim().starts_with(prefix)
    }
}
