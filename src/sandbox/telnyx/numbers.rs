//! Phone numbers: search, read, change, give back. All of them lie in ranges kept for examples (555-01xx and the like).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Value, json};

use super::{missing, one};
use crate::clock::iso;
use crate::gate::{Key, Provider, object};
use crate::rng::Rng;
use crate::settings::SandboxSettings;
use crate::state::{Account, Sandbox};

pub(super) type Params = Query<Vec<(String, String)>>;

const US_AREAS: [(&str, &str, &str); 8] = [
    ("312", "CHICAGO", "IL"),
    ("212", "NEW YORK", "NY"),
    ("415", "SAN FRANCISCO", "CA"),
    ("512", "AUSTIN", "TX"),
    ("617", "BOSTON", "MA"),
    ("206", "SEATTLE", "WA"),
    ("303", "DENVER", "CO"),
    ("305", "MIAMI", "FL"),
];

/// A new account with its first numbers.
pub(crate) fn starter_account(key: &str, settings: &SandboxSettings) -> Account {
    let mut account = Account::default();
    let mut rng = Rng::new(settings.seed, &format!("numbers:{key}"));
    for index in 0..settings.starter_numbers {
        let area = US_AREAS[(rng.below(US_AREAS.len()) + index) % US_AREAS.len()].0;
        let number = format!("+1{area}55501{:02}", rng.below(100));
        add_number(&mut account, &number, "US", None);
    }
    account
}

pub(super) async fn available(State(sandbox): State<Arc<Sandbox>>, Query(params): Params) -> Response {
    let filter = |name: &str| {
        let key = format!("filter[{name}]");
        params.iter().find(|(known, value)| *known == key && !value.is_empty()).map(|(_, value)| value.as_str())
    };
    let country = filter("country_code").unwrap_or("US").to_uppercase();
    let kind = filter("phone_number_type").unwrap_or("local");
    let limit: usize = filter("limit").and_then(|text| text.parse().ok()).unwrap_or(20).clamp(1, 100);
    let wanted = ["contains", "starts_with", "ends_with"].map(|how| filter(&format!("phone_number][{how}")));
    let mut rng = Rng::new(sandbox.settings().seed, &format!("{params:?}"));
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..limit * 40 {
        let Some((number, place, state)) = draw_number(&country, kind, &filter, &mut rng) else {
            continue;
        };
        let national = number.trim_start_matches('+');
        let [contains, starts, ends] = wanted;
        let fits = contains.is_none_or(|part| national.contains(part))
            && starts.is_none_or(|part| national.contains(part))
            && ends.is_none_or(|part| national.ends_with(part));
        if fits && !found.iter().any(|known| known["phone_number"] == number.as_str()) {
            found.push(offer(&number, &country, place, state, kind));
        }
        if found.len() == limit {
            break;
        }
    }
    let meta = json!({"total_results": found.len(), "best_effort_results": 0});
    Json(json!({"data": found, "meta": meta, "metadata": meta})).into_response()
}

type Drawn = (String, &'static str, &'static str);

/// A number, its place and its state; none when a filter excludes the draw.
fn draw_number<'a>(
    country: &str,
    kind: &str,
    filter: &impl Fn(&str) -> Option<&'a str>,
    rng: &mut Rng,
) -> Option<Drawn> {
    let tail = rng.below(100);
    match (country, kind) {
        ("US" | "CA", "toll_free") => {
            let area = ["800", "888", "877"][rng.below(3)];
            Some((format!("+1{area}55501{tail:02}"), "", ""))
        }
        ("US", _) => {
            let (area, place, state) = US_AREAS[rng.below(US_AREAS.len())];
            let fits = filter("national_destination_code").is_none_or(|code| code == area)
                && filter("locality").is_none_or(|locality| locality.eq_ignore_ascii_case(place))
                && filter("administrative_area").is_none_or(|wanted| wanted.eq_ignore_ascii_case(state));
            fits.then(|| (format!("+1{area}55501{tail:02}"), place, state))
        }
        ("CA", _) => Some((format!("+1416555{:04}", 100 + tail), "TORONTO", "ON")),
        ("GB", _) => Some((format!("+441632960{:03}", rng.below(1000)), "LONDON", "")),
        ("DE", _) => Some((format!("+493023125{:03}", rng.below(1000)), "BERLIN", "BE")),
        ("CH", _) => Some((format!("+4144555{:04}", 2000 + rng.below(1000)), "ZURICH", "ZH")),
        ("FR", _) => Some((format!("+33199001{:03}", rng.below(1000)), "PARIS", "")),
        ("ES", _) => Some((format!("+34910000{:03}", rng.below(1000)), "MADRID", "")),
        ("IN", _) => Some((format!("+91795550{:04}", rng.below(10_000)), "AHMEDABAD", "GJ")),
        _ => None,
    }
}

fn offer(number: &str, country: &str, place: &str, state: &str, kind: &str) -> Value {
    let mut regions = vec![json!({"region_type": "country_code", "region_name": country})];
    if !place.is_empty() {
        regions.push(json!({"region_type": "rate_center", "region_name": place}));
    }
    if !state.is_empty() {
        regions.push(json!({"region_type": "state", "region_name": state}));
    }
    let cost = if kind == "toll_free" { "2.00" } else { "1.00" };
    json!({
        "record_type": "available_phone_number",
        "phone_number": number,
        "phone_number_type": kind,
        "best_effort": false,
        "quickship": true,
        "reservable": true,
        "vanity_format": "",
        "features": [{"name": "voice"}, {"name": "sms"}],
        "region_information": regions,
        "cost_information": {"upfront_cost": cost, "monthly_cost": cost, "currency": "USD"},
    })
}

pub(super) fn add_number(account: &mut Account, number: &str, country: &str, order: Option<&Value>) {
    let now = iso(Utc::now());
    let id = (1_293_384_261_075_731_000_u64 + Rng::new(13, number).roll() % 1_000_000_000).to_string();
    let record = json!({
        "id": id,
        "record_type": "phone_number",
        "phone_number": number,
        "phone_number_type": "local",
        "country_iso_alpha2": country,
        "status": "active",
        "tags": [],
        "connection_id": order.and_then(|order| order["connection_id"].as_str()),
        "connection_name": null,
        "customer_reference": order.and_then(|order| order["customer_reference"].as_str()),
        "external_pin": null,
        "messaging_profile_id": null,
        "billing_group_id": null,
        "emergency_enabled": false,
        "call_forwarding_enabled": false,
        "hd_voice_enabled": false,
        "deletion_lock_enabled": false,
        "source_type": "number_order",
        "purchased_at": now,
        "created_at": now,
        "activated_at": now,
        "updated_at": now,
    });
    account.numbers.insert(id, record);
}

pub(super) fn country_of(number: &str) -> &'static str {
    let prefixes =
        [("+44", "GB"), ("+49", "DE"), ("+41", "CH"), ("+33", "FR"), ("+34", "ES"), ("+91", "IN"), ("+1416", "CA")];
    prefixes.iter().find(|(prefix, _)| number.starts_with(prefix)).map_or("US", |(_, country)| country)
}

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Query(params): Params,
) -> Response {
    let all = sandbox.with_account(&key, |account| account.numbers.values().cloned().collect());
    listing(all, &params, "purchased_at")
}

/// Filters by equal members (`filter[status]=active`), sorts by time, and cuts out the page.
pub(super) fn listing(mut all: Vec<Value>, params: &[(String, String)], time: &str) -> Response {
    for (name, value) in params {
        let Some(member) = name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')) else {
            continue;
        };
        if !member.contains(']') {
            all.retain(|item| item.get(member).is_none_or(|known| known.as_str() == Some(value)));
        }
    }
    all.sort_by_key(|item| {
        (item[time].as_str().unwrap_or("").to_owned(), item["id"].as_str().unwrap_or("").to_owned())
    });
    let figure = |name: &str, default: usize| {
        params.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok()).unwrap_or(default).max(1)
    };
    let (number, size) = (figure("page[number]", 1), figure("page[size]", 20).min(250));
    let total = all.len();
    let pages = total.div_ceil(size).max(1);
    let data: Vec<Value> = all.into_iter().skip((number - 1) * size).take(size).collect();
    let meta = json!({"page_number": number, "page_size": size, "total_pages": pages, "total_results": total});
    Json(json!({"data": data, "meta": meta})).into_response()
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.numbers.get(&id).cloned());
    found.map_or_else(missing, |number| one(StatusCode::OK, number))
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let changed = sandbox.with_account(&key, |account| {
        let number = account.numbers.get_mut(&id)?;
        for (name, value) in
            given.into_iter().filter(|(name, _)| !["id", "phone_number", "status"].contains(&name.as_str()))
        {
            number[name.as_str()] = value;
        }
        number["updated_at"] = json!(iso(Utc::now()));
        Some(number.clone())
    });
    sandbox.keep();
    changed.map_or_else(missing, |number| one(StatusCode::OK, number))
}

pub(super) async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let Some(mut number) = sandbox.with_account(&key, |account| account.numbers.remove(&id)) else {
        return missing();
    };
    sandbox.keep();
    number["status"] = json!("deleted");
    one(StatusCode::OK, number)
}
