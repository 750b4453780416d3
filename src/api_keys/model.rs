use serde::{Deserialize, Serialize};

use patchbay_access::ApiScope;
use patchbay_shared::ids::ApiKeyId;
use patchbay_shared::{FieldErrors, Stamp};

patchbay_shared::words! {
    /// How a key stands.
    pub KeyStatus: "text" {
        Active = "active", "Active", Ok;
        /// Its successor is made; it goes on until it expires.
        Expiring = "expiring", "Expires soon", Warn;
        Expired = "expired", "Expired", Mute;
        Revoked = "revoked", "Revoked", Mute;
    }
}

/// One key in the list. Never the key itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyRow {
    pub id: ApiKeyId,
    pub name: String,
    pub prefix: String,
    pub owner: String,
    pub scopes: Vec<ApiScope>,
    /// Scopes that the owner's role does not allow any more: the key is refused for them.
    pub lost: Vec<ApiScope>,
    /// Requests per hour; 0: as many as wanted.
    pub rate_limit: i32,
    /// Requests in the present hour.
    pub used: i32,
    pub status: KeyStatus,
    pub created: Stamp,
    pub expires: Option<Stamp>,
    pub last_used: Option<Stamp>,
    pub last_ip: Option<String>,
}

/// A key that has just been made: shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewKey {
    pub name: String,
    pub key: String,
}

/// What the form for a key sends, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyTerms {
    pub name: String,
    pub scopes: Vec<ApiScope>,
    pub rate_limit: i32,
    /// Days until it expires; none: it does not.
    pub days: Option<i32>,
}

impl KeyTerms {
    /// Reads the form. Errors: at `name`, `scopes`, `rate_limit` or `days`.
    pub fn read(name: &str, scopes: &[String], rate_limit: &str, days: &str, errors: &mut FieldErrors) -> Self {
        let name = name.trim().to_owned();
        if !(1..=120).contains(&name.chars().count()) {
            errors.add("name", "Say what the key is for, in up to 120 characters.");
        }
        let read: Vec<ApiScope> = scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
        if read.is_empty() || read.len() < scopes.len() {
            errors.add("scopes", "Choose at least one permission.");
        }
        let rate_limit = rate_limit.trim().parse().ok().filter(|limit| (0..=1_000_000).contains(limit));
        if rate_limit.is_none() {
            errors.add("rate_limit", "Write a whole number of requests per hour, up to 1,000,000. 0 means no limit.");
        }
        let days = match days.trim() {
            "" => None,
            text => {
                let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
                if days.is_none() {
                    errors.add(
                        "days",
                        "Write a whole number of days from 1 to 3650, or leave it empty for a key that does not expire.",
                    );
                }
                days
            }
        };
        Self { name, scopes: read, rate_limit: rate_limit.unwrap_or_default(), days }
    }
}
