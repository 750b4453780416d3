//! Signatures and sealed secrets against the shared test vectors.

use chrono::{DateTime, Duration as Span, Utc};
use patchbay_providers::signature::*;
use patchbay_providers::ultravox::WebhookEvent;
use patchbay_providers::{KeyRing, SealError, Secret};
use serde_json::Value;
use std::time::Duration;

fn vectors(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../fixtures/provider-vectors.json")).unwrap();
    all["vectors"][name].clone()
}

fn cases(vector: &Value) -> &Vec<Value> {
    vector["cases"].as_array().unwrap()
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} in {case}"))
}

fn ultravox(
    secrets: &[&str],
    time: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), SignatureError> {
    let secrets: Vec<Secret<String>> = secrets.iter().map(|s| Secret::from(*s)).collect();
    verify_ultravox(&secrets, Some(time), Some(signature), body, now, TOLERANCE)
}

#[test]
fn every_ultravox_case() {
    let vector = vectors("ultravox_webhook");
    assert_eq!(vector["headers"][0].as_str().unwrap().to_lowercase(), ULTRAVOX_TIMESTAMP);
    assert_eq!(vector["headers"][1].as_str().unwrap().to_lowercase(), ULTRAVOX_SIGNATURE);
    for case in cases(&vector) {
        let (time, body) = (text(case, "timestamp"), text(case, "body").as_bytes());
        let now = time.parse().unwrap();
        let outcome = ultravox(&[text(case, "secret")], time, text(case, "signature_header"), body, now);
        let expected = if case["valid"].as_bool().unwrap() { Ok(()) } else { Err(SignatureError::Mismatch) };
        assert_eq!(outcome, expected, "{}", text(case, "name"));
        if outcome.is_ok() {
            let ours = sign_ultravox(text(case, "secret"), time, body);
            assert!(text(case, "signature_header").split(',').any(|s| s == ours));
            WebhookEvent::decode(body).expect("a signed event can be read");
        }
    }
}

#[test]
fn ultravox_secrets_rotate_and_times_expire() {
    let (time, body) = ("2026-03-02T14:07:27.215034Z", b"{}".as_slice());
    let sent: DateTime<Utc> = time.parse().unwrap();
    let signature = sign_ultravox("new", time, body);
    assert_eq!(ultravox(&["old", "new"], time, &signature, body, sent), Ok(()));
    assert_eq!(ultravox(&["old"], time, &signature, body, sent), Err(SignatureError::Mismatch));
    assert_eq!(ultravox(&[], time, &signature, body, sent), Err(SignatureError::Mismatch));
    let anybody = sign_ultravox("", time, body);
    assert_eq!(ultravox(&["", "new"], time, &anybody, body, sent), Err(SignatureError::Mismatch));
    let several = format!("zz, {} ,{signature}", "0".repeat(64));
    assert_eq!(ultravox(&["new"], time, &several, body, sent), Ok(()), "odd entries beside a good one are skipped");

    for (apart, expected) in [(299, Ok(())), (300, Ok(())), (301, Err(SignatureError::Stale))] {
        for now in [sent + Span::seconds(apart), sent - Span::seconds(apart)] {
            assert_eq!(ultravox(&["new"], time, &signature, body, now), expected, "{apart} s");
        }
    }
    let bare = "2026-03-02T14:07:27.215034";
    assert_eq!(ultravox(&["new"], bare, &sign_ultravox("new", bare, body), body, sent), Ok(()), "no zone means UTC");

    for (time, signature) in [(None, Some("x")), (Some(time), None), (Some(time), Some(" ")), (None, None)] {
        let outcome = verify_ultravox(&["new".into()], time, signature, body, sent, TOLERANCE);
        assert_eq!(outcome, Err(SignatureError::Missing));
    }
    for (time, signature) in [("noon", signature.as_str()), (time, "xyz"), (time, "abcd"), (time, ",,")] {
        assert_eq!(ultravox(&["new"], time, signature, body, sent), Err(SignatureError::Malformed), "{signature}");
    }
    // One byte more, one byte less.
    assert_eq!(ultravox(&["new"], time, &signature, b"{} ", sent), Err(SignatureError::Mismatch));
    assert_eq!(ultravox(&["new"], time, &signature, b"{", sent), Err(SignatureError::Mismatch));
}

#[test]
fn every_telnyx_case() {
    let vector = vectors("telnyx_webhook");
    assert_eq!(vector["headers"][0], TELNYX_TIMESTAMP);
    assert_eq!(vector["headers"][1], TELNYX_SIGNATURE);
    assert_eq!(vector["tolerance_seconds"], TOLERANCE.as_secs());
    for case in cases(&vector) {
        let (time, body) = (text(case, "timestamp"), text(case, "body").as_bytes());
        let now = DateTime::from_timestamp(time.parse().unwrap(), 0).unwrap();
        let keys = [text(case, "public_key_b64").to_owned()];
        let outcome = verify_telnyx(&keys, Some(time), Some(text(case, "signature_b64")), body, now, TOLERANCE);
        let expected = if case["valid"].as_bool().unwrap() { Ok(()) } else { Err(SignatureError::Mismatch) };
        assert_eq!(outcome, expected, "{}", text(case, "name"));
        if let Some(seed) = case["private_seed_hex"].as_str() {
            let seed: [u8; 32] = hex::decode(seed).unwrap().try_into().unwrap();
            assert_eq!(sign_telnyx(&seed, time, body), text(case, "signature_b64"));
            assert_eq!(telnyx_public_key(&seed), keys[0]);
        }
    }
}

#[test]
fn telnyx_keys_rotate_and_odd_input_is_told_apart() {
    let (seed, time, body) = ([7; 32], "1772460446", b"{}".as_slice());
    let now = DateTime::from_timestamp(1_772_460_446, 0).unwrap();
    let (signature, key) = (sign_telnyx(&seed, time, body), telnyx_public_key(&seed));
    let check = |keys: &[&str], time: Option<&str>, signature: Option<&str>, now| {
        let keys: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
        verify_telnyx(&keys, time, signature, body, now, TOLERANCE)
    };
    let other = telnyx_public_key(&[8; 32]);
    assert_eq!(check(&[&other, "rubbish", &key], Some(time), Some(&signature), now), Ok(()));
    assert_eq!(check(&[&other], Some(time), Some(&signature), now), Err(SignatureError::Mismatch));
    assert_eq!(check(&[], Some(time), Some(&signature), now), Err(SignatureError::Mismatch));
    for apart in [-301, 301] {
        let then = now + Span::seconds(apart);
        assert_eq!(check(&[&key], Some(time), Some(&signature), then), Err(SignatureError::Stale));
    }
    assert_eq!(check(&[&key], None, Some(&signature), now), Err(SignatureError::Missing));
    assert_eq!(check(&[&key], Some(time), None, now), Err(SignatureError::Missing));
    for time in ["-5", "+5", "1e9", "soon", "99999999999999999999"] {
        assert_eq!(check(&[&key], Some(time), Some(&signature), now), Err(SignatureError::Malformed), "{time}");
    }
    for signature in ["%%%", "AAAA", &signature[..80]] {
        assert_eq!(check(&[&key], Some(time), Some(signature), now), Err(SignatureError::Malformed));
    }
    assert!(is_telnyx_public_key(&key));
    assert!(!is_telnyx_public_key("AAAA") && !is_telnyx_public_key(""));
}

fn ring(key: &str) -> KeyRing {
    KeyRing::from_env_text(key).unwrap()
}

#[test]
fn every_fernet_case() {
    let vector = vectors("fernet");
    for case in cases(&vector) {
        let opened = ring(text(case, "key")).decrypt(text(case, "token"));
        match case["valid"].as_bool().unwrap() {
            true => assert_eq!(opened.unwrap(), text(case, "plaintext").as_bytes(), "{}", text(case, "name")),
            false => assert_eq!(opened, Err(SealError::Unreadable), "{}", text(case, "name")),
        }
    }
    let public = &vector["public_spec"];
    for case in public["generate"].as_array().unwrap().iter().chain(public["verify"].as_array().unwrap()) {
        let ring = ring(text(case, "secret"));
        assert_eq!(ring.decrypt(text(case, "token")).unwrap(), text(case, "src").as_bytes());
        let now = DateTime::parse_from_rfc3339(text(case, "now")).unwrap().to_utc();
        let fresh = ring.decrypt_fresh(text(case, "token"), Duration::from_secs(60), now);
        assert_eq!(fresh.unwrap(), text(case, "src").as_bytes());
    }
    for case in public["invalid"].as_array().unwrap() {
        let now = DateTime::parse_from_rfc3339(text(case, "now")).unwrap().to_utc();
        let ttl = Duration::from_secs(case["ttl_sec"].as_u64().unwrap());
        let outcome = ring(text(case, "secret")).decrypt_fresh(text(case, "token"), ttl, now);
        let expected = if text(case, "desc").contains("expired") { SealError::Expired } else { SealError::Unreadable };
        assert_eq!(outcome, Err(expected), "{}", text(case, "desc"));
    }
}

#[test]
fn what_one_key_seals_the_ring_opens() {
    let vector = vectors("fernet");
    let key = text(&vector["cases"][0], "key");
    let token = ring(key).encrypt(b"hello");
    assert_eq!(ring(&format!("{},{key}", KeyRing::generate_key().expose())).decrypt(&token).unwrap(), b"hello");
}
