//! `/receiver/{name}`: somebody's own system that is told of events. It keeps what came, byte for byte, and answers as it is told to:
//! `PUT /sandbox/receivers/{name}` with members of `ReceiverManner`, `GET` shows what came, `DELETE` forgets it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use crate::state::Sandbox;

/// Requests that are kept of each receiver; receivers; bytes of a body.
const KEPT: usize = 30_000;
const MOST: usize = 1000;
const LONGEST: usize = 256 * 1024;
/// How long it keeps whom it does not answer.
const HANGS: Duration = Duration::from_secs(120);

/// How a receiver answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiverManner {
    pub status: u16,
    /// One in so many requests is answered with 503 instead. 0: none.
    pub fails_one_in: usize,
    pub delay_ms: u64,
    /// It takes what comes, and answers nothing.
    pub hangs: bool,
    /// One in so many requests is taken and not answered. 0: none.
    pub hangs_one_in: usize,
    /// Where it points to; the status should be one of the three hundreds then.
    pub location: Option<String>,
    /// Headers of its answers.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// How often the body is said.
    pub repeat: usize,
}

impl Default for ReceiverManner {
    fn default() -> Self {
        Self {
            status: 200,
            fails_one_in: 0,
            delay_ms: 0,
            hangs: false,
            hangs_one_in: 0,
            location: None,
            headers: BTreeMap::new(),
            body: "ok".to_owned(),
            repeat: 1,
        }
    }
}

/// One request, as it came.
#[derive(Debug, Clone, Serialize)]
pub struct Received {
    pub at: DateTime<Utc>,
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// What was answered. None: nothing.
    pub status: Option<u16>,
}

#[derive(Default)]
struct Receiver {
    manner: ReceiverManner,
    asked: usize,
    received: VecDeque<Received>,
}

/// All receivers, by name.
#[derive(Default)]
pub(super) struct Receivers {
    by_name: Mutex<BTreeMap<String, Receiver>>,
    /// How many requests came in all.
    came: watch::Sender<usize>,
}

impl Receivers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Receiver>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sandbox {
    /// From now on a receiver answers so.
    pub fn receive_as(&self, name: &str, manner: ReceiverManner) {
        let mut all = self.receivers.all();
        if all.len() < MOST || all.contains_key(name) {
            all.entry(name.to_owned()).or_default().manner = manner;
        }
    }

    /// What came to a receiver, in order.
    pub fn received(&self, name: &str) -> Vec<Received> {
        self.receivers.all().get(name).map(|one| one.received.iter().cloned().collect()).unwrap_or_default()
    }

    /// Waits until so many requests have come to a receiver.
    pub async fn received_so_many(&self, name: &str, many: usize) {
        let mut came = self.receivers.came.subscribe();
        while self.receivers.all().get(name).map_or(0, |one| one.asked) < many {
            if came.changed().await.is_err() {
                return;
            }
        }
    }
}

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new().route("/{name}", any(receive))
}

/// Below `/sandbox`.
pub(super) fn control() -> Router<Arc<Sandbox>> {
    Router::new().route("/receivers/{name}", get(show).put(set).delete(forget))
}

async fn receive(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let manner = {
        let mut all = sandbox.receivers.all();
        if all.len() >= MOST && !all.contains_key(&name) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let one = all.entry(name).or_default();
        one.asked += 1;
        let mut manner = one.manner.clone();
        let is_one_in = |many: usize| many > 0 && one.asked.is_multiple_of(many);
        if is_one_in(manner.fails_one_in) {
            manner.status = 503;
        }
        manner.hangs |= is_one_in(manner.hangs_one_in);
        one.received.push_back(Received {
            at: Utc::now(),
            method: method.to_string(),
            uri: uri.to_string(),
            headers,
            body: String::from_utf8_lossy(&body[..body.len().min(LONGEST)]).into_owned(),
            status: (!manner.hangs).then_some(manner.status),
        });
        if one.received.len() > KEPT {
            one.received.pop_front();
        }
        manner
    };
    sandbox.receivers.came.send_modify(|came| *came += 1);
    let pause = if manner.hangs { HANGS } else { Duration::from_millis(manner.delay_ms) };
    if !pause.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = sandbox.shutdown.cancelled() => {}
        }
    }
    answer(&manner)
}

fn answer(manner: &ReceiverManner) -> Response {
    let mut response = Body::from(manner.body.repeat(manner.repeat)).into_response();
    *response.status_mut() = StatusCode::from_u16(manner.status).unwrap_or(StatusCode::OK);
    let named = manner.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let location = manner.location.as_deref().map(|to| (header::LOCATION.as_str(), to));
    for (name, value) in named.chain(location) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn show(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> Response {
    let manner = sandbox.receivers.all().get(&name).map(|one| one.manner.clone()).unwrap_or_default();
    Json(json!({"manner": manner, "received": sandbox.received(&name)})).into_response()
}

async fn set(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
    Json(manner): Json<ReceiverManner>,
) -> StatusCode {
    sandbox.receive_as(&name, manner);
    StatusCode::NO_CONTENT
}

async fn forget(State(sandbox): State<Arc<Sandbox>>, Path(name): Path<String>) -> StatusCode {
    sandbox.receivers.all().remove(&name);
    StatusCode::NO_CONTENT
}
