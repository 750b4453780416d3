//! Secrets at rest: Fernet tokens over a small JSON document that names its own place.
//!
//! A Fernet token alone says nothing about the row it belongs to, so a copied token would open anywhere. The sealed
//! document therefore carries workspace, owner and name, and opening checks them.

pub use super::secret::{Secret, in_the_clear};
use chrono::{DateTime, Utc};
use fernet::Fernet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// How far a token's time may lie in the future when its age is checked.
const CLOCK_SKEW: i64 = 60;

/// The place a sealed document belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The tenant; the nil id for the platform's own secrets.
    #[serde(rename = "workspace")]
    pub workspace_id: Uuid,
    /// Whose it is, such as `integration:<id>` or `user:<id>`.
    pub owner: String,
    /// What it is, such as `credentials`.
    pub name: String,
}

impl Binding {
    /// A place made of its three parts.
    pub fn new(workspace_id: Uuid, owner: impl Into<String>, name: impl Into<String>) -> Self {
        Self { workspace_id, owner: owner.into(), name: name.into() }
    }
}

/// Why a key ring or a token can't be used. No variant carries a key or a plain text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("there is no encryption key; give at least one")]
    NoKeys,
    #[error("encryption key number {0} is not a Fernet key (44 characters of URL-safe base64, 32 bytes)")]
    BadKey(usize),
    #[error("none of the encryption keys opens this token; it was changed, or its key was removed")]
    Unreadable,
    #[error("this token was sealed for another place")]
    WrongPlace,
    #[error("the sealed document is not what was expected")]
    BadDocument,
    #[error("this token is too old")]
    Expired,
}

/// Several keys: each opens, the first seals.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<(String, Fernet)>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.ids()).finish()
    }
}

#[derive(Serialize)]
struct Sealing<'a, T> {
    v: u8,
    #[serde(flatten)]
    binding: &'a Binding,
    value: &'a T,
}

#[derive(Deserialize)]
struct Opened<T> {
    v: u8,
    #[serde(flatten)]
    binding: Binding,
    value: T,
}

impl KeyRing {
    /// Reads keys separated by commas, as they stand in the environment. The first one seals.
    pub fn from_env_text(text: &str) -> Result<Self, SealError> {
        let mut keys = Vec::new();
        for (at, key) in text.split(',').map(str::trim).filter(|k| !k.is_empty()).enumerate() {
            let fernet = Fernet::new(key).ok_or(SealError::BadKey(at + 1))?;
            keys.push((key_id(key), fernet));
        }
        if keys.is_empty() { Err(SealError::NoKeys) } else { Ok(Self { keys }) }
    }

    /// A new random key, ready for the environment.
    pub fn generate_key() -> Secret<String> {
        Secret::new(Fernet::generate_key())
    }

    /// The keys' ids, the sealing one first. An id is a short digest and gives nothing away.
    pub fn ids(&self) -> Vec<&str> {
        self.keys.iter().map(|(id, _)| id.as_str()).collect()
    }

    /// Seals a document for its place.
    pub fn seal<T: Serialize>(&self, binding: &Binding, value: &T) -> Result<String, SealError> {
        let document = serde_json::to_vec(&Sealing { v: 1, binding, value }).map_err(|_| SealError::BadDocument)?;
        Ok(self.encrypt(&document))
    }

    /// Opens a document at its place.
    pub fn open<T: DeserializeOwned>(&self, binding: &Binding, token: &str) -> Result<T, SealError> {
        let plain = self.decrypt(token)?;
        // The place is checked before the value is looked at, so another's token says only that it is one.
        let document: Opened<serde_json::Value> = serde_json::from_slice(&plain).map_err(|_| SealError::BadDocument)?;
        if document.binding != *binding {
            return Err(SealError::WrongPlace);
        }
        if document.v != 1 {
            return Err(SealError::BadDocument);
        }
        serde_json::from_value(document.value).map_err(|_| SealError::BadDocument)
    }

    /// Encrypts bytes with the first key. Prefer [`KeyRing::seal`], which binds them to a place.
    pub fn encrypt(&self, plain: &[u8]) -> String {
        self.keys[0].1.encrypt(plain)
    }

    /// Decrypts a token with whichever key fits.
    pub fn decrypt(&self, token: &str) -> Result<Vec<u8>, SealError> {
        self.keys.iter().find_map(|(_, key)| key.decrypt(token).ok()).ok_or(SealError::Unreadable)
    }

    /// Decrypts a token that must not be older than `ttl`.
    pub fn decrypt_fresh(&self, token: &str, ttl: Duration, now: DateTime<Utc>) -> Result<Vec<u8>, SealError> {
        let made = made_at(token).ok_or(SealError::Unreadable)?;
        let now = now.timestamp();
        let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        if made.saturating_add(ttl) < now {
            return Err(SealError::Expired);
        }
        if made > now.saturating_add(CLOCK_SKEW) {
            return Err(SealError::Unreadable);
        }
        self.decrypt(token)
    }

    /// The id of the key that opens this token.
    pub fn key_id_of(&self, token: &str) -> Option<&str> {
        self.keys.iter().find(|(_, key)| key.decrypt(token).is_ok()).map(|(id, _)| id.as_str())
    }

    /// The same document under the first key, or `None` when it already is. For the rotation of keys: the document,
    /// and with it the place, stays as it is.
    pub fn reseal(&self, token: &str) -> Result<Option<String>, SealError> {
        if self.keys[0].1.decrypt(token).is_ok() {
            return Ok(None);
        }
        self.decrypt(token).map(|plain| Some(self.encrypt(&plain)))
    }
}

/// The first eight hex digits of the key's SHA-256.
fn key_id(key: &str) -> String {
    hex::encode(&Sha256::digest(key.as_bytes())[..4])
}

/// The Unix time inside a token, unchecked.
fn made_at(token: &str) -> Option<i64> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE.decode(token).ok()?;
    let seconds: [u8; 8] = bytes.get(1..9)?.try_into().ok()?;
    i64::try_from(u64::from_be_bytes(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Credentials {
        #[serde(with = "in_the_clear")]
        api_key: Secret<String>,
    }

    fn ring(keys: &[&Secret<String>]) -> KeyRing {
        KeyRing::from_env_text(&keys.iter().map(|k| k.expose().as_str()).collect::<Vec<_>>().join(", ")).unwrap()
    }

    #[test]
    fn a_token_opens_only_at_its_place() {
        let ring = ring(&[&KeyRing::generate_key()]);
        let home = Binding::new(Uuid::from_u128(1), "integration:7", "credentials");
        let document = Credentials { api_key: "canary".into() };
        let token = ring.seal(&home, &document).unwrap();
        assert!(!token.contains("canary"));
        assert_eq!(ring.open::<Credentials>(&home, &token).unwrap(), document);
        for elsewhere in [
            Binding { workspace_id: Uuid::from_u128(2), ..home.clone() },
            Binding { owner: "integration:8".into(), ..home.clone() },
            Binding { name: "webhook".into(), ..home.clone() },
        ] {
            assert_eq!(ring.open::<Credentials>(&elsewhere, &token), Err(SealError::WrongPlace));
        }
    }

    #[test]
    fn keys_rotate() {
        let (old, new) = (KeyRing::generate_key(), KeyRing::generate_key());
        let place = Binding::new(Uuid::nil(), "platform", "smtp");
        let token = ring(&[&old]).seal(&place, &"pw").unwrap();

        let both = ring(&[&new, &old]);
        assert_eq!(both.open::<String>(&place, &token).unwrap(), "pw");
        assert_eq!(both.key_id_of(&token), Some(both.ids()[1]));
        let moved = both.reseal(&token).unwrap().expect("sealed with the old key");
        assert_eq!(both.reseal(&moved).unwrap(), None);
        assert_eq!(ring(&[&new]).open::<String>(&place, &moved).unwrap(), "pw");
        assert_eq!(ring(&[&new]).open::<String>(&place, &token), Err(SealError::Unreadable));
    }

    #[test]
    fn nothing_shows_a_secret() {
        let key = KeyRing::generate_key();
        assert_eq!(format!("{key:?}"), "[hidden]");
        assert!(!format!("{:?}", ring(&[&key])).contains(key.expose().as_str()));
        assert_eq!(KeyRing::from_env_text(" , ").unwrap_err(), SealError::NoKeys);
        let bad = KeyRing::from_env_text(&format!("{},password1", key.expose())).unwrap_err();
        assert_eq!(bad, SealError::BadKey(2));
        assert!(!bad.to_string().contains("password1"));
    }
}
