//! Telephone credentials, and what the account may choose from.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::paging::{Params, page, param};
use super::{missing, unreadable};
use crate::gate::{Key, no_content, object};
use crate::rng::Rng;
use crate::state::Sandbox;

const MODELS: [&str; 5] =
    ["ultravox-v0.7", "ultravox-v0.6", "ultravox-v0.6-llama3.3-70b", "ultravox-v0.6-gemma3-27b", "ultravox-v0.5"];
const VOICES: [(&str, &str, &str, &str); 14] = [
    ("Mark", "en-US", "English (United States)", "A calm male voice."),
    ("Jessica", "en-US", "English (United States)", "A friendly female voice."),
    ("Emily", "en-GB", "English (United Kingdom)", "A clear female voice."),
    ("Oliver", "en-GB", "English (United Kingdom)", "A relaxed male voice."),
    ("Anjali", "en-IN", "English (India)", "A warm female voice."),
    ("Lena", "de-DE", "German (Germany)", "A clear female voice."),
    ("Ben", "de-DE", "German (Germany)", "A warm male voice."),
    ("Sofia", "es-ES", "Spanish (Spain)", "A lively female voice."),
    ("Mateo", "es-MX", "Spanish (Mexico)", "A calm male voice."),
    ("Camille", "fr-FR", "French (France)", "A soft female voice."),
    ("Hugo", "fr-FR", "French (France)", "A clear male voice."),
    ("Riya", "hi-IN", "Hindi (India)", "A warm female voice."),
    ("Arjun", "hi-IN", "Hindi (India)", "A clear male voice."),
    ("Dhara", "gu-IN", "Gujarati (India)", "A friendly female voice."),
];

pub(super) async fn get_telephony(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(carrier): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.telephony.get(&carrier).cloned());
    found.map_or_else(missing, |config| Json(masked(config)).into_response())
}

/// With Telnyx, the API key says which carrier account gets the events of the calls.
pub(super) async fn set_telephony(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    method: Method,
    Path(carrier): Path<String>,
    body: Bytes,
) -> Response {
    if !["telnyx", "twilio", "plivo"].contains(&carrier.as_str()) {
        return missing();
    }
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return unreadable(&message),
    };
    let config = sandbox.with_account(&key, |account| {
        let config = account.telephony.entry(carrier.clone()).or_insert_with(|| json!({}));
        for (name, value) in given {
            config[name.as_str()] = value;
        }
        if carrier == "telnyx" {
            let carrier_key = config["apiKey"].as_str().filter(|api_key| api_key.starts_with("sandbox-"));
            account.carrier_key = carrier_key.map(str::to_owned);
        }
        config.clone()
    });
    sandbox.keep();
    let status = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
    (status, Json(masked(config))).into_response()
}

pub(super) async fn delete_telephony(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(carrier): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.telephony.remove(&carrier).is_some());
    sandbox.keep();
    if found { no_content() } else { missing() }
}

/// Secrets come back as their first characters only.
fn masked(mut config: Value) -> Value {
    for name in ["apiKey", "publicKey", "authToken"] {
        let Some(secret) = config.as_object_mut().and_then(|map| map.remove(name)) else {
            continue;
        };
        let prefix: String = secret.as_str().unwrap_or("").chars().take(8).collect();
        config[format!("{name}Prefix")] = json!({"prefix": prefix});
    }
    config
}

pub(super) async fn voices(OriginalUri(uri): OriginalUri, headers: HeaderMap, params: Params) -> Response {
    let search = param(&params, "search").map(str::to_lowercase);
    let language = param(&params, "primaryLanguage");
    let fits = |(name, code, _, _): &&(&str, &str, &str, &str)| {
        search.as_ref().is_none_or(|search| name.to_lowercase().contains(search))
            && language.is_none_or(|language| code.starts_with(language))
    };
    let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let shape = |(name, code, label, description): &(&str, &str, &str, &str)| {
        json!({
            "voiceId": Rng::new(3, name).uuid(),
            "name": name,
            "description": description,
            "primaryLanguage": code,
            "languageLabel": label,
            "previewUrl": format!("http://{host}/sandbox/voices/{name}.wav"),
            "ownership": "public",
            "billingStyle": "VOICE_BILLING_STYLE_INCLUDED",
            "provider": "Sandbox",
            "definition": {},
        })
    };
    let all = VOICES.iter().filter(fits).map(shape).collect();
    Json(page(all, &params, &uri, &headers)).into_response()
}

pub(super) async fn models(OriginalUri(uri): OriginalUri, headers: HeaderMap, params: Params) -> Response {
    let all = MODELS.iter().map(|name| json!({"name": name})).collect();
    Json(page(all, &params, &uri, &headers)).into_response()
}

pub(super) async fn me(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let limit = sandbox.settings_for(&key).concurrency_limit;
    let live = sandbox.with_account(&key, |account| account.live);
    let body = json!({
        "accountId": Rng::new(5, &key).uuid(),
        "name": key,
        "billingUrl": null,
        "freeTimeUsed": "0s",
        "freeTimeRemaining": "1800s",
        "hasActiveSubscription": true,
        "subscriptionTier": "sandbox",
        "subscriptionCadence": "monthly",
        "subscriptionRenewal": null,
        "activeCalls": live,
        "allowedConcurrentCalls": limit,
        "allowedVoices": null,
        "allowedCorpora": null,
    });
    Json(body).into_response()
}
