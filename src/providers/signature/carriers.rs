//! Who really sent a callback of Twilio or Plivo. Neither signs a time, so whoever takes one in remembers what came already.

use super::SignatureError;
use crate::carrier::Trunk;
use crate::sealed::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use url::Url;

/// Header with the signature of a request by Twilio.
pub const TWILIO_SIGNATURE: &str = "x-twilio-signature";
/// Headers with the signatures of a request by Plivo, and with what makes each of them one of a kind.
pub const PLIVO_SIGNATURE: &str = "x-plivo-signature-v3";
pub const PLIVO_NONCE: &str = "x-plivo-signature-v3-nonce";

/// What came with a request.
#[derive(Debug, Clone, Copy)]
pub enum Sent<'a> {
    /// The fields of a form, decoded.
    Form(&'a [(String, String)]),
    /// Any other body, whose digest stands in the address.
    Raw(&'a [u8]),
}

/// Checks a request by Twilio: base64 of HMAC-SHA1 over the address as it was called and the fields. `url` is the public address, whatever
/// stands in front of this server; it may have been called with or without its port.
pub fn verify_twilio(
    auth_token: &Secret<String>,
    url: &Url,
    sent: Sent<'_>,
    signature: Option<&str>,
) -> Result<(), SignatureError> {
    let given = given(signature)?;
    let token = usable(auth_token)?;
    let fields = match sent {
        Sent::Form(fields) => fields,
        Sent::Raw(body) => {
            let named = url.query_pairs().find(|(name, _)| name == "bodySHA256").map(|(_, digest)| digest.into_owned());
            let named = named.and_then(|digest| hex::decode(digest).ok()).ok_or(SignatureError::Malformed)?;
            if !bool::from(named.ct_eq(Sha256::digest(body).as_slice())) {
                return Err(SignatureError::Mismatch);
            }
            &[]
        }
    };
    let mut matched = Choice::from(0);
    for address in spellings(url) {
        matched |= twilio_mac(token, &address, fields).ct_eq(&given);
    }
    if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Signs as Twilio does. For stand-ins and tests.
pub fn sign_twilio(auth_token: &str, url: &str, fields: &[(String, String)]) -> String {
    STANDARD.encode(twilio_mac(auth_token, url, fields))
}

/// Checks a form that Plivo has posted: base64 of HMAC-SHA256 over the address, the fields, and the nonce. Several signatures are
/// separated by commas. `is_get`: the fields came in the address.
pub fn verify_plivo(
    auth_token: &Secret<String>,
    is_get: bool,
    url: &Url,
    fields: &[(String, String)],
    nonce: Option<&str>,
    signatures: Option<&str>,
) -> Result<(), SignatureError> {
    let nonce = nonce.map(str::trim).filter(|nonce| !nonce.is_empty()).ok_or(SignatureError::Missing)?;
    let signatures = signatures.filter(|text| !text.trim().is_empty()).ok_or(SignatureError::Missing)?;
    let token = usable(auth_token)?;
    let given: Vec<Vec<u8>> = signatures.split(',').filter_map(|text| STANDARD.decode(text.trim()).ok()).collect();
    if given.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let expected = plivo_mac(token, &plivo_text(is_get, url, fields), nonce);
    let mut matched = Choice::from(0);
    // No early exit: every one is compared.
    for signature in &given {
        matched |= expected.ct_eq(signature);
    }
    if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Signs a post as Plivo does. For stand-ins and tests.
pub fn sign_plivo(auth_token: &str, url: &Url, fields: &[(String, String)], nonce: &str) -> String {
    STANDARD.encode(plivo_mac(auth_token, &plivo_text(false, url, fields), nonce))
}

/// Checks a form that one of them has posted. `header`: reads a header of the request. No carrier but these signs so.
pub fn verify_form<'a>(
    trunk: Trunk,
    auth_token: &Secret<String>,
    url: &Url,
    fields: &[(String, String)],
    header: impl Fn(&'static str) -> Option<&'a str>,
) -> Result<(), SignatureError> {
    match trunk {
        Trunk::Twilio => verify_twilio(auth_token, url, Sent::Form(fields), header(TWILIO_SIGNATURE)),
        Trunk::Plivo => verify_plivo(auth_token, false, url, fields, header(PLIVO_NONCE), header(PLIVO_SIGNATURE)),
        Trunk::Telnyx => Err(SignatureError::Mismatch),
    }
}

fn given(signature: Option<&str>) -> Result<Vec<u8>, SignatureError> {
    let text = signature.map(str::trim).filter(|text| !text.is_empty()).ok_or(SignatureError::Missing)?;
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 20).ok_or(SignatureError::Malformed)
}

/// An empty token would let anybody sign.
fn usable(token: &Secret<String>) -> Result<&str, SignatureError> {
    Some(token.expose().trim()).filter(|token| !token.is_empty()).ok_or(SignatureError::Mismatch)
}

/// The address with its port and with the port left out: the service does either, whatever the port is.
fn spellings(url: &Url) -> Vec<String> {
    let plain = url.to_string();
    let Some(host) = url.host_str() else { return vec![plain] };
    let before = format!("{}://{host}", url.scheme());
    let own = url.port().map_or_else(|| before.clone(), |port| format!("{before}:{port}"));
    let Some(rest) = plain.strip_prefix(&own) else { return vec![plain] };
    let port = url.port_or_known_default().unwrap_or(443);
    vec![format!("{before}:{port}{rest}"), format!("{before}{rest}")]
}

fn twilio_mac(token: &str, url: &str, fields: &[(String, String)]) -> Vec<u8> {
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()).then_with(|| a.1.cmp(&b.1)));
    // A value that a name has twice counts once, and the name stands before each.
    sorted.dedup();
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any key length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.finalize().into_bytes().to_vec()
}

fn plivo_text(is_get: bool, url: &Url, fields: &[(String, String)]) -> String {
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let pairs = |mut pairs: Vec<(String, String)>| {
        pairs.sort();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    if is_get {
        let all: Vec<(String, String)> = query.into_iter().chain(fields.iter().cloned()).collect();
        return if all.is_empty() { base.to_string() } else { format!("{base}?{}", pairs(all)) };
    }
    let mut sorted = fields.to_vec();
    sorted.sort();
    let said: String = sorted.iter().map(|(name, value)| format!("{name}{value}")).collect();
    match (query.is_empty(), fields.is_empty()) {
        (true, true) => base.to_string(),
        (true, false) => format!("{base}?{said}"),
        (false, true) => format!("{base}?{}", pairs(query)),
        (false, false) => format!("{base}?{}.{said}", pairs(query)),
    }
}

fn plivo_mac(token: &str, text: &str, nonce: &str) -> Vec<u8> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("any key length");
    for part in [text, ".", nonce] {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().to_vec()
}
