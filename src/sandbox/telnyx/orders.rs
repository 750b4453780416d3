//! Orders of phone numbers. One is pending at first and decided later, as with the real carrier.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::carrier::send_event;
use super::numbers::{Params, add_number, country_of, listing};
use super::{missing, one, unprocessable};
use crate::clock::iso;
use crate::gate::{Key, Provider, object};
use crate::state::Sandbox;

/// Takes an order; it is decided after `order_secs`.
pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let asked: Vec<String> = given
        .get("phone_numbers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| item.get("phone_number")?.as_str().map(str::to_owned))
        .collect();
    if asked.is_empty() || asked.iter().any(|number| !number.starts_with('+')) {
        return unprocessable("phone_numbers must be a list of numbers in E.164 form.");
    }
    let now = iso(Utc::now());
    let id = Uuid::new_v4().to_string();
    let line = |number: &String| {
        json!({
            "id": Uuid::new_v4(),
            "record_type": "number_order_phone_number",
            "phone_number": number,
            "phone_number_type": "local",
            "country_code": country_of(number),
            "status": "pending",
            "requirements_met": true,
            "requirements_status": "approved",
            "regulatory_requirements": [],
            "order_request_id": id,
            "is_block_number": false,
        })
    };
    let order = json!({
        "id": id,
        "record_type": "number_order",
        "status": "pending",
        "phone_numbers": asked.iter().map(line).collect::<Vec<_>>(),
        "phone_numbers_count": asked.len(),
        "requirements_met": true,
        "sub_number_orders_ids": [],
        "connection_id": given.get("connection_id"),
        "messaging_profile_id": given.get("messaging_profile_id"),
        "billing_group_id": given.get("billing_group_id"),
        "customer_reference": given.get("customer_reference"),
        "created_at": now,
        "updated_at": now,
    });
    sandbox.with_account(&key, |account| account.orders.insert(id.clone(), order.clone()));
    sandbox.keep();
    sandbox.begin(&key.clone(), decide_order(sandbox.clone(), key, id));
    one(StatusCode::OK, order)
}

async fn decide_order(sandbox: Arc<Sandbox>, key: String, id: String) {
    let settings = sandbox.settings_for(&key);
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs_f64((settings.order_secs / settings.speed).max(0.0))) => {}
        () = sandbox.shutdown.cancelled() => return,
    }
    let status = if sandbox.rng("order").chance(settings.order_failure_rate) { "failure" } else { "success" };
    let decided = sandbox.with_account(&key, |account| {
        let order = account.orders.get_mut(&id)?;
        order["status"] = json!(status);
        order["updated_at"] = json!(iso(Utc::now()));
        for line in order["phone_numbers"].as_array_mut().into_iter().flatten() {
            line["status"] = json!(status);
        }
        let order = order.clone();
        if status == "success" {
            for line in order["phone_numbers"].as_array().into_iter().flatten() {
                let number = line["phone_number"].as_str().unwrap_or("");
                add_number(account, number, line["country_code"].as_str().unwrap_or("US"), Some(&order));
            }
        }
        Some(order)
    });
    sandbox.keep();
    if let Some(order) = decided {
        send_event(&sandbox, &key, "number_order.complete", Utc::now(), order);
    }
}

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Query(params): Params,
) -> Response {
    let all = sandbox.with_account(&key, |account| account.orders.values().cloned().collect());
    listing(all, &params, "created_at")
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.orders.get(&id).cloned());
    found.map_or_else(missing, |order| one(StatusCode::OK, order))
}
