//! Who really sent a webhook. Checks run over the raw bytes and compare in constant time; the clock is handed in.

mod carriers;
mod hubspot;

pub use carriers::*;
pub use hubspot::*;

use super::sealed::Secret;
use super::wire::parse_time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq};

/// Header with the time text of an Ultravox webhook.
pub const ULTRAVOX_TIMESTAMP: &str = "x-ultravox-webhook-timestamp";
/// Header with the signatures of an Ultravox webhook.
pub const ULTRAVOX_SIGNATURE: &str = "x-ultravox-webhook-signature";
/// Header with the Unix seconds of a Telnyx webhook.
pub const TELNYX_TIMESTAMP: &str = "telnyx-timestamp";
/// Header with the signature of a Telnyx webhook.
pub const TELNYX_SIGNATURE: &str = "telnyx-signature-ed25519";
/// Headers of a webhook by Standard Webhooks.
pub const STANDARD_ID: &str = "webhook-id";
pub const STANDARD_TIMESTAMP: &str = "webhook-timestamp";
pub const STANDARD_SIGNATURE: &str = "webhook-signature";
/// How far a webhook's time may lie from ours.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature or its time is missing")]
    Missing,
    #[error("the signature or its time is malformed")]
    Malformed,
    #[error("the signature is too old, or from the future")]
    Stale,
    #[error("the signature doesn't match")]
    Mismatch,
}

/// Checks an Ultravox webhook: hex HMAC-SHA256 over body and time text, several signatures separated by commas,
/// any of several active secrets.
pub fn verify_ultravox(
    secrets: &[Secret<String>],
    timestamp: Option<&str>,
    signatures: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = both(timestamp, signatures)?;
    let given: Vec<Vec<u8>> =
        signatures.split(',').filter_map(|s| hex::decode(s.trim()).ok()).filter(|s| s.len() == 32).collect();
    let sent = parse_time(timestamp).ok_or(SignatureError::Malformed)?;
    if given.is_empty() {
        return Err(SignatureError::Malformed);
    }
    check_age(sent, now, tolerance)?;
    let mut matched = Choice::from(0);
    // An empty secret would let anybody sign. No early exit: every pair is compared.
    for secret in secrets.iter().filter(|s| !s.expose().is_empty()) {
        let expected = ultravox_mac(secret.expose(), timestamp, body);
        for signature in &given {
            matched |= expected.ct_eq(signature);
        }
    }
    if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Checks a Telnyx webhook: Ed25519 over `timestamp|body`. Several public keys may be active.
pub fn verify_telnyx(
    public_keys: &[String],
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let (timestamp, signature) = both(timestamp, signature)?;
    let seconds: i64 = Some(timestamp)
        .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|t| t.parse().ok())
        .ok_or(SignatureError::Malformed)?;
    let sent = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Malformed)?;
    let signature: [u8; 64] =
        STANDARD.decode(signature).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(SignatureError::Malformed)?;
    check_age(sent, now, tolerance)?;
    let message = telnyx_message(timestamp, body);
    let signature = Signature::from_bytes(&signature);
    let known = public_keys.iter().filter_map(|text| telnyx_key(text));
    match known.into_iter().any(|key| key.verify_strict(&message, &signature).is_ok()) {
        true => Ok(()),
        false => Err(SignatureError::Mismatch),
    }
}

/// Checks a webhook by the specification Standard Webhooks: base64 of HMAC-SHA256 over `id.timestamp.body`, several signatures separated by
/// blanks, any of several active secrets (`whsec_` and base64).
pub fn verify_standard(
    secrets: &[Secret<String>],
    id: &str,
    timestamp: Option<&str>,
    signatures: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = both(timestamp, signatures)?;
    if id.is_empty() {
        return Err(SignatureError::Missing);
    }
    let seconds: i64 = Some(timestamp)
        .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|t| t.parse().ok())
        .ok_or(SignatureError::Malformed)?;
    let sent = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Malformed)?;
    let given: Vec<Vec<u8>> = signatures
        .split_whitespace()
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .filter(|signature| signature.len() == 32)
        .collect();
    if given.is_empty() {
        return Err(SignatureError::Malformed);
    }
    check_age(sent, now, tolerance)?;
    let mut matched = Choice::from(0);
    // No early exit: every pair is compared.
    for secret in secrets {
        let Some(expected) = standard_mac(secret.expose(), id, timestamp, body) else { continue };
        for signature in &given {
            matched |= expected.ct_eq(signature);
        }
    }
    if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Signs as Standard Webhooks says: `v1,` and base64. None: the secret is none.
pub fn sign_standard(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    Some(format!("v1,{}", STANDARD.encode(standard_mac(secret, id, timestamp, body)?)))
}

/// True when the text is a Telnyx public key: base64 of 32 bytes that are a point of the curve.
pub fn is_telnyx_public_key(text: &str) -> bool {
    telnyx_key(text).is_some()
}

/// Signs as Ultravox does. For stand-ins and tests.
pub fn sign_ultravox(secret: &str, timestamp: &str, body: &[u8]) -> String {
    hex::encode(ultravox_mac(secret, timestamp, body))
}

/// Signs as Telnyx does. For stand-ins and tests.
pub fn sign_telnyx(seed: &[u8; 32], timestamp: &str, body: &[u8]) -> String {
    let signature = SigningKey::from_bytes(seed).sign(&telnyx_message(timestamp, body));
    STANDARD.encode(signature.to_bytes())
}

/// The public key that belongs to a signing seed, as Telnyx shows it.
pub fn telnyx_public_key(seed: &[u8; 32]) -> String {
    STANDARD.encode(SigningKey::from_bytes(seed).verifying_key().to_bytes())
}

fn both<'a>(timestamp: Option<&'a str>, signature: Option<&'a str>) -> Result<(&'a str, &'a str), SignatureError> {
    match (timestamp.map(str::trim), signature.map(str::trim)) {
        (Some(t), Some(s)) if !t.is_empty() && !s.is_empty() => Ok((t, s)),
        _ => Err(SignatureError::Missing),
    }
}

fn check_age(sent: DateTime<Utc>, now: DateTime<Utc>, tolerance: Duration) -> Result<(), SignatureError> {
    match (now - sent).abs().to_std() {
        Ok(apart) if apart <= tolerance => Ok(()),
        _ => Err(SignatureError::Stale),
    }
}

fn ultravox_mac(secret: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(body);
    mac.update(timestamp.as_bytes());
    mac.finalize().into_bytes().into()
}

/// None for a secret that is none: an empty key would let anybody sign.
fn standard_mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<[u8; 32]> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok().filter(|key| !key.is_empty())?;
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any key length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

fn telnyx_message(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"|", body].concat()
}

fn telnyx_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}
