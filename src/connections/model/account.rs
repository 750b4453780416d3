use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Mode, Provider, filled, is_key};
use patchbay_shared::ids::ConnectionId;
use patchbay_shared::{AppError, FieldErrors};

/// The form of a model account, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelAccountForm {
    /// Empty: a new one.
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub mode: String,
    /// For servers of the OpenAI form.
    #[serde(default)]
    pub base_url: String,
    /// Empty keeps the key that is stored.
    #[serde(default)]
    pub api_key: String,
    /// The person's password, when it was last typed too long ago.
    #[serde(default)]
    pub current: String,
}

/// A model account's form after its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedAccount {
    pub id: Option<ConnectionId>,
    pub kind: Provider,
    /// Never empty.
    pub name: String,
    pub mode: Mode,
    pub base_url: Option<String>,
    pub api_key: Option<String>,
}

impl ModelAccountForm {
    /// Reads the fields. Errors: `Invalid` with a message per field; `NotFound` for an id that is none.
    pub fn check(&self) -> Result<CheckedAccount, AppError> {
        let id = match self.id.trim() {
            "" => None,
            id => Some(id.parse()?),
        };
        let mut errors = FieldErrors::default();
        let kind = Provider::from_str(&self.kind).ok().filter(|kind| kind.has_models()).unwrap_or_else(|| {
            errors.add("kind", "Choose whose models the account has.");
            Provider::Openrouter
        });
        let mode = Mode::from_str(&self.mode).unwrap_or_else(|_| {
            errors.add("mode", "Choose sandbox or live.");
            Mode::Sandbox
        });
        let name = filled(&self.name).unwrap_or_else(|| kind.label().to_owned());
        if name.chars().count() > 60 || name.chars().any(char::is_control) {
            errors.add("name", "Use at most 60 characters on one line.");
        }
        let api_key = filled(&self.api_key);
        if api_key.as_deref().is_some_and(|key| !is_key(key)) {
            errors.add("api_key", "A key has no spaces or line breaks. Copy it again.");
        }
        let base_url = filled(&self.base_url).filter(|_| kind == Provider::OpenaiCompatible && mode == Mode::Live);
        if base_url.as_deref().is_some_and(|address| address.len() > 300) {
            errors.add("base_url", "Use an address of at most 300 characters.");
        } else if base_url.as_deref().is_some_and(|address| address.contains(['?', '#', '@'])) {
            errors.add(
                "base_url",
                "Leave out user names and the part from ? on: a key belongs into the field for the key.",
            );
        }
        errors.check()?;
        // What people copy is often the address of a request.
        let base_url = base_url.map(|address| {
            let address = address.trim_end_matches('/');
            address.strip_suffix("/chat/completions").unwrap_or(address).to_owned()
        });
        Ok(CheckedAccount { id, kind, name, mode, base_url, api_key })
    }
}
