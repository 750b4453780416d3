//! CRMs: accounts with people in them, how one signs in there, and what goes wrong. `hubspot` and `zoho` speak as the services.
//!
//! An account is named by the app's client id if that begins with `sandbox-`, or by a token `sandbox-…` that needs no sign-in; it comes
//! into being with its people when it is first asked for, the same ones each time. Tokens carry the account, so that they are good after a
//! restart. `POST /sandbox/crm/{hubspot|zoho}/{account}/{what}` changes it from outside: see `control.rs`.

pub(super) mod book;
pub(super) mod control;
mod past;
pub(super) mod people;
pub(super) mod sign_in;
pub(super) mod telling;
mod tokens;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use book::CrmBook;

use super::gate::garbage;
use super::state::Sandbox;

/// What the limit of HubSpot's window is said to be.
const WINDOW: u32 = 190;
const WINDOW_MS: u32 = 10_000;
const DAY: u32 = 650_000;
/// Credits of a day at Zoho.
const CREDITS: u32 = 50_000;

/// Stages of deals at HubSpot, with their labels.
pub(crate) const STAGES: [(&str, &str); 4] = [
    ("appointmentscheduled", "Appointment scheduled"),
    ("contractsent", "Contract sent"),
    ("closedwon", "Closed won"),
    ("closedlost", "Closed lost"),
];

/// Which CRM it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrmKind {
    Hubspot,
    Zoho,
}

impl CrmKind {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "hubspot" => Some(CrmKind::Hubspot),
            "zoho" => Some(CrmKind::Zoho),
            _ => None,
        }
    }

    /// Ids of the first contact and the first deal.
    fn first_ids(self) -> (u64, u64) {
        match self {
            CrmKind::Hubspot => (50_001, 900_001),
            CrmKind::Zoho => (3_652_397_000_000_640_001, 3_652_397_000_000_690_001),
        }
    }

    /// Id of the first activity.
    fn first_activity(self) -> u64 {
        self.first_ids().1 + 10_000
    }

    fn last_name(self) -> &'static str {
        match self {
            CrmKind::Hubspot => "lastname",
            CrmKind::Zoho => "Last_Name",
        }
    }

    fn token_secs(self) -> u32 {
        match self {
            CrmKind::Hubspot => 1_800,
            CrmKind::Zoho => 3_600,
        }
    }

    /// An error in the service's own form.
    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str) -> Response {
        let body = match self {
            CrmKind::Hubspot => json!({
                "status": "error",
                "message": message,
                "correlationId": "5f1c7f2e-0000-4000-8000-000000000013",
                "category": code,
            }),
            CrmKind::Zoho => json!({"code": code, "details": {}, "message": message, "status": "error"}),
        };
        (status, Json(body)).into_response()
    }

    fn limited(self, seconds: u64) -> Response {
        let mut response = match self {
            CrmKind::Hubspot => {
                let body = json!({
                    "status": "error",
                    "message": "You have reached your ten_secondly_rolling limit.",
                    "errorType": "RATE_LIMIT",
                    "correlationId": "5f1c7f2e-0000-4000-8000-000000000429",
                    "policyName": "TEN_SECONDLY_ROLLING",
                });
                (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
            }
            CrmKind::Zoho => self.error(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "too many requests"),
        };
        if self == CrmKind::Hubspot {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// All accounts of all CRMs.
#[derive(Default)]
pub(super) struct Crms(Mutex<BTreeMap<(CrmKind, String), CrmBook>>);

/// The account that a request belongs to.
#[derive(Debug, Clone)]
pub(super) struct CrmAccount(pub String);

impl Sandbox {
    /// Works on an account, which comes into being when it is first asked for.
    pub fn crm_book<R>(&self, kind: CrmKind, account: &str, work: impl FnOnce(&mut CrmBook) -> R) -> R {
        let mut all = self.crms.0.lock().unwrap_or_else(PoisonError::into_inner);
        let book = all.entry((kind, account.to_owned())).or_insert_with(|| CrmBook::new(kind, account));
        work(book)
    }
}

/// What a request meets before it is answered.
enum Met {
    Nothing,
    Limited,
    Failing,
    Garbage,
    LostAnswer,
}

pub(super) async fn hubspot_gate(sandbox: State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    gate(CrmKind::Hubspot, sandbox, request, next).await
}

pub(super) async fn zoho_gate(sandbox: State<Arc<Sandbox>>, request: Request, next: Next) -> Response {
    gate(CrmKind::Zoho, sandbox, request, next).await
}

/// Whose token it is, whether it is good, and what goes wrong.
async fn gate(kind: CrmKind, State(sandbox): State<Arc<Sandbox>>, mut request: Request, next: Next) -> Response {
    let Some(account) = tokens::bearer(kind, request.headers()) else {
        return refused(kind);
    };
    let path = request.uri().path().to_owned();
    // What makes something new.
    let makes =
        request.method() == Method::POST && !["/search", "/read", "/update"].iter().any(|end| path.ends_with(end));
    let token = bearer_text(request.headers()).unwrap_or_default().to_owned();
    let (is_good, met, asked) = sandbox.crm_book(kind, &account, |book| {
        let faults = &mut book.faults;
        let mut revokes = false;
        if let Some(left) = faults.revoke_after {
            revokes = left == 0;
            faults.revoke_after = left.checked_sub(1);
        }
        let mut expires = false;
        if let Some(left) = faults.expire_after {
            expires = left == 0;
            faults.expire_after = left.checked_sub(1);
        }
        let one_of = |count: &mut u32| {
            let is_one = *count > 0;
            *count = count.saturating_sub(1);
            is_one
        };
        let met = if one_of(&mut faults.limited) {
            Met::Limited
        } else if one_of(&mut faults.failing) {
            Met::Failing
        } else if one_of(&mut faults.garbage) {
            Met::Garbage
        } else if makes && one_of(&mut faults.lost_answers) {
            Met::LostAnswer
        } else {
            Met::Nothing
        };
        if revokes {
            book.revoke();
        }
        if expires {
            book.expire();
        }
        book.requests += 1;
        (book.is_good(&token), met, book.requests)
    });
    if !is_good {
        return refused(kind);
    }
    let bad_gateway =
        || (StatusCode::BAD_GATEWAY, "<html><body><h1>502 Bad Gateway</h1></body></html>").into_response();
    match met {
        Met::Limited => return kind.limited(sandbox.settings().retry_after_secs),
        Met::Failing => return bad_gateway(),
        Met::Garbage => return garbage(),
        Met::LostAnswer | Met::Nothing => {}
    }
    request.extensions_mut().insert(CrmAccount(account));
    let mut response = next.run(request).await;
    if matches!(met, Met::LostAnswer) {
        return bad_gateway();
    }
    let headers = response.headers_mut();
    match kind {
        // Answers of a search say nothing of it.
        CrmKind::Hubspot if !path.ends_with("/search") => {
            let figures = [
                ("x-hubspot-ratelimit-max", WINDOW),
                ("x-hubspot-ratelimit-remaining", WINDOW - 1 - asked % 60),
                ("x-hubspot-ratelimit-interval-milliseconds", WINDOW_MS),
                ("x-hubspot-ratelimit-daily", DAY),
                ("x-hubspot-ratelimit-daily-remaining", DAY.saturating_sub(asked)),
            ];
            for (name, figure) in figures {
                headers.insert(name, HeaderValue::from(figure));
            }
        }
        CrmKind::Hubspot => {}
        CrmKind::Zoho => {
            headers.insert("x-api-credits-remaining", HeaderValue::from(CREDITS.saturating_sub(asked)));
        }
    }
    response
}

fn bearer_text(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("Zoho-oauthtoken "))
}

fn refused(kind: CrmKind) -> Response {
    match kind {
        CrmKind::Hubspot => kind.error(
            StatusCode::UNAUTHORIZED,
            "EXPIRED_AUTHENTICATION",
            "The OAuth token used to make this call expired or is not valid.",
        ),
        CrmKind::Zoho => kind.error(StatusCode::UNAUTHORIZED, "INVALID_TOKEN", "invalid oauth token"),
    }
}

/// What a verifier of PKCE is shown as.
fn challenge(verifier: &str) -> String {
    patchbay_providers::oauth::challenge_of(&patchbay_providers::Secret::from(verifier))
}

/// The body of a request as an object.
pub(super) fn document(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}
