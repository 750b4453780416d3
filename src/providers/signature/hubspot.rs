//! Who really sent a webhook of HubSpot: the third version of its signature, the only one with a time.

use super::{SignatureError, both, check_age};
use crate::sealed::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq};

/// Header with the signature of a webhook by HubSpot, and with its time in milliseconds.
pub const HUBSPOT_SIGNATURE: &str = "x-hubspot-signature-v3";
pub const HUBSPOT_TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// Codes in an address that are decoded before it is signed; all others stay.
const DECODED: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// Checks a webhook of HubSpot: base64 of HMAC-SHA256, by the secret of the app, over method, address, body and time. `called`: the method
/// and the whole public address, whatever stands in front of this server. The address may be signed as it was called or decoded.
pub fn verify_hubspot(
    secret: &Secret<String>,
    called: (&str, &str),
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let (timestamp, signature) = both(timestamp, signature)?;
    let sent = Some(timestamp)
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| DateTime::from_timestamp_millis(text.parse().ok()?))
        .ok_or(SignatureError::Malformed)?;
    let given = STANDARD.decode(signature).ok().filter(|mac| mac.len() == 32).ok_or(SignatureError::Malformed)?;
    check_age(sent, now, tolerance)?;
    // An empty secret would let anybody sign.
    if secret.expose().is_empty() {
        return Err(SignatureError::Mismatch);
    }
    let mut matched = Choice::from(0);
    for address in [called.1.to_owned(), decoded(called.1)] {
        matched |= mac(secret.expose(), (called.0, &address), timestamp, body).ct_eq(&given);
    }
    if bool::from(matched) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Signs as HubSpot does. For stand-ins and tests.
pub fn sign_hubspot(secret: &str, called: (&str, &str), timestamp: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, (called.0, &decoded(called.1)), timestamp, body))
}

fn decoded(address: &str) -> String {
    let mut text = address.to_owned();
    for (code, plain) in DECODED {
        text = text.replace(code, plain).replace(&code.to_ascii_lowercase(), plain);
    }
    text
}

fn mac(secret: &str, (method, address): (&str, &str), timestamp: &str, body: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    for part in [method.as_bytes(), address.as_bytes(), body, timestamp.as_bytes()] {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "11111111-2222-3333-4444-555555555555";
    const BODY: &str = r#"[{"eventId":1001,"subscriptionId":22,"portalId":62515,"appId":54321,"occurredAt":1772460445999,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":123,"propertyName":"email","propertyValue":"ada@example.test","changeSource":"CRM"}]"#;
    const TIME: &str = "1772460446123";
    const POST: (&str, &str) = ("POST", "https://example.test/hooks/hubspot");

    fn check(secret: &str, called: (&str, &str), signature: &str, body: &str, late: i64) -> Result<(), SignatureError> {
        let now = DateTime::from_timestamp_millis(1_772_460_446_123 + late).unwrap();
        let secret = Secret::from(secret);
        verify_hubspot(&secret, called, Some(TIME), Some(signature), body.as_bytes(), now, super::super::TOLERANCE)
    }

    #[test]
    fn known_signatures_hold_and_nothing_else_does() {
        let good = "OJsv/rqJnmhLQb5EgROh/t23PdhaRbRYzE80ZuAgvhY=";
        assert_eq!(check(SECRET, POST, good, BODY, 0), Ok(()));
        assert_eq!(sign_hubspot(SECRET, POST, TIME, BODY.as_bytes()), good);
        // Codes in the address are decoded, but not all of them.
        let asked = ("GET", "https://example.test/hooks/hubspot?src=hs%3Aapp%2Fv3&x=%28a%29&q=a%20b");
        assert_eq!(check(SECRET, asked, "es+0VE68ayZKRF6SC6VMNlrf/XlFeVkmowE7Pqg+UAY=", "", 0), Ok(()));
        assert_eq!(check("other-secret", POST, good, BODY, 0), Err(SignatureError::Mismatch));
        assert_eq!(check("", POST, &sign_hubspot("", POST, TIME, b"[]"), "[]", 0), Err(SignatureError::Mismatch));
        assert_eq!(check(SECRET, ("PUT", POST.1), good, BODY, 0), Err(SignatureError::Mismatch));
        assert_eq!(check(SECRET, POST, good, &BODY.replace("123", "124"), 0), Err(SignatureError::Mismatch));
        for late in [300_001, -300_001] {
            assert_eq!(check(SECRET, POST, good, BODY, late), Err(SignatureError::Stale), "{late}");
        }
        assert_eq!(check(SECRET, POST, good, BODY, 300_000), Ok(()));
        // The older versions come along; they have no time, so they are none here.
        for older in [
            "ce66752ba747af0708cfc8340e6e8a7091df4c2ca4ccc7f3f8e9477dc81d6d85",
            "20b97050aa8fbf502a2d14ecafac4aa83b30d037ccf7a9999ba4430a07afc795",
        ] {
            assert_eq!(check(SECRET, POST, older, BODY, 0), Err(SignatureError::Malformed));
        }
        let now = DateTime::from_timestamp_millis(1_772_460_446_123).unwrap();
        for (timestamp, signature) in [(None, Some(good)), (Some(TIME), None), (Some(""), Some(""))] {
            let secret = Secret::from(SECRET);
            let seen = verify_hubspot(&secret, POST, timestamp, signature, BODY.as_bytes(), now, Duration::MAX);
            assert_eq!(seen, Err(SignatureError::Missing));
        }
    }
}
