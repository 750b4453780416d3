//! Somebody's own system, as the tools of agents ask it: customers to look up, an echo that shows what was sent, and all that goes wrong
//! with such systems.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use crate::rng::Rng;
use crate::state::Sandbox;

/// How long `hang` keeps a request.
const HANGS: Duration = Duration::from_secs(60);
/// How much `large` says.
const LARGE: usize = 10 * 1024 * 1024;

/// How often `flaky` was asked, over all.
#[derive(Default)]
struct Asked(AtomicU64);

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/customers/{id}", get(customer))
        .route("/search", get(search))
        .route("/echo", any(echo))
        .route("/flaky", any(flaky))
        .route("/hang", any(hang))
        .route("/large", any(large))
        .route("/redirect", any(redirect))
        .route("/status/{code}", any(status))
        .route("/picture", any(picture))
        .route("/pages/{name}", get(super::pages::page))
        .layer(Extension(Arc::new(Asked::default())))
}

/// A customer, the same one for the same id.
async fn customer(Path(id): Path<String>) -> Response {
    if id.len() > 40 || id.starts_with('0') {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "There is no such customer."}))).into_response();
    }
    let mut rng = Rng::new(5, &id);
    let plan = *rng.pick(&["Basic", "Plus", "Premium"]);
    let open = rng.below(4);
    Json(json!({"customer_id": id, "plan": plan, "open_invoices": open, "since": 2016 + rng.below(9)})).into_response()
}

/// A search service: results for any words but `nothing`.
async fn search(headers: HeaderMap, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    if !headers.contains_key("x-subscription-token") {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "A token is missing."}))).into_response();
    }
    let words = asked.get("q").map(String::as_str).unwrap_or_default();
    let result = |number: usize| {
        json!({
            "title": format!("{words} ({number})"),
            "url": format!("https://pages.example/{number}"),
            "description": format!("What page {number} says about {words}."),
        })
    };
    let results: Vec<Value> = if words == "nothing" { Vec::new() } else { (1..=12).map(result).collect() };
    Json(json!({"query": {"original": words}, "web": {"results": results}})).into_response()
}

/// What was sent, headers and all: a system that tells everything.
async fn echo(method: Method, OriginalUri(uri): OriginalUri, headers: HeaderMap, body: Bytes) -> Response {
    let headers: Map<String, Value> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?))))
        .collect();
    let sent: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Json(json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": uri.query(),
        "headers": headers,
        "body": sent,
    }))
    .into_response()
}

/// Busy every other time.
async fn flaky(Extension(asked): Extension<Arc<Asked>>) -> Response {
    match asked.0.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => (StatusCode::SERVICE_UNAVAILABLE, "Busy. Come again.").into_response(),
        _ => "Done at the second try.".into_response(),
    }
}

async fn hang(State(sandbox): State<Arc<Sandbox>>) -> Response {
    tokio::select! {
        () = tokio::time::sleep(HANGS) => {}
        () = sandbox.shutdown.cancelled() => {}
    }
    "Sorry for the wait.".into_response()
}

/// Ten megabytes.
async fn large() -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], Body::from("many words ".repeat(LARGE / 11))).into_response()
}

/// Points to where nobody should look.
async fn redirect() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/latest/meta-data/?token=1")]).into_response()
}

async fn status(Path(code): Path<u16>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::IM_A_TEAPOT);
    (status, Json(json!({"error": format!("This is what {code} looks like.")}))).into_response()
}

/// No text at all.
async fn picture() -> Response {
    ([(header::CONTENT_TYPE, "image/png")], vec![0x89, b'P', b'N', b'G', 0, 0, 0]).into_response()
}
