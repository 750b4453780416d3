//! HubSpot as it answers: sign-in, contacts, deals, calls, tasks.

mod finding;
mod shapes;
mod writing;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Json, Router};
use serde_json::{Value, json};

use super::crm::book::Object;
use super::crm::sign_in::{self, Params};
use super::crm::{CrmAccount, CrmKind, document, hubspot_gate};
use super::state::Sandbox;

const KIND: CrmKind = CrmKind::Hubspot;

pub(super) fn routes(sandbox: Arc<Sandbox>) -> Router<Arc<Sandbox>> {
    let api = Router::new()
        .route("/account-info/v3/details", get(account))
        .route("/crm/v3/properties/{kind}", get(properties))
        .route("/crm/v3/objects/{kind}", get(finding::list).post(writing::create))
        .route("/crm/v3/objects/{kind}/search", post(finding::search))
        .route("/crm/v3/objects/{kind}/batch/update", post(writing::update_batch))
        .route("/crm/v3/objects/{kind}/{id}", get(finding::get).patch(writing::update))
        .route("/crm/v4/associations/{kind}/contacts/batch/read", post(associations))
        .route("/crm/v3/pipelines/deals", get(pipelines))
        .fallback(|| async { missing("The requested resource could not be found.") })
        .layer(axum::middleware::from_fn_with_state(sandbox, hubspot_gate));
    Router::new()
        .route("/oauth/authorize", get(page))
        .route("/oauth/authorize/agree", get(agree))
        .route(
            "/oauth/authorize/deny",
            get(|Query(params): Query<Params>| async move { sign_in::back(sign_in::denied(&params)) }),
        )
        .route("/oauth/2026-03/token", post(token))
        .route("/oauth/2026-03/token/introspect", post(introspect))
        .route("/oauth/2026-03/token/revoke", post(revoke))
        .merge(api)
}

async fn page(Query(params): Query<Params>) -> Response {
    sign_in::page(KIND, "/hubspot/oauth/authorize", &params)
}

async fn agree(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, Query(params): Query<Params>) -> Response {
    sign_in::back(sign_in::agreed(&sandbox, KIND, &sign_in::base(&headers, "hubspot"), &params))
}

async fn token(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, Form(form): Form<Params>) -> Response {
    sign_in::token(&sandbox, KIND, &sign_in::base(&headers, "hubspot"), &form).await
}

async fn introspect(State(sandbox): State<Arc<Sandbox>>, Form(form): Form<Params>) -> Response {
    sign_in::introspect(&sandbox, &form)
}

async fn revoke(State(sandbox): State<Arc<Sandbox>>, Form(form): Form<Params>) -> Response {
    sign_in::revoke(&sandbox, KIND, &form)
}

fn missing(message: &str) -> Response {
    KIND.error(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", message)
}

fn invalid(message: &str) -> Response {
    KIND.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

fn broken() -> Response {
    KIND.error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "There was a problem with the request.")
}

fn object_of(kind: &str) -> Option<Object> {
    match kind {
        "contacts" | "0-1" => Some(Object::Contact),
        "deals" | "0-3" => Some(Object::Deal),
        "calls" => Some(Object::Call),
        "tasks" => Some(Object::Task),
        "notes" => Some(Object::Note),
        "meetings" => Some(Object::Meeting),
        _ => None,
    }
}

async fn account(Extension(CrmAccount(account)): Extension<CrmAccount>) -> Json<Value> {
    Json(json!({
        "portalId": sign_in::portal(&account),
        "accountType": "STANDARD",
        "timeZone": "Europe/Berlin",
        "companyCurrency": "EUR",
        "utcOffset": "+01:00",
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "eu1",
    }))
}

async fn properties(Path(kind): Path<String>) -> Response {
    match object_of(&kind) {
        Some(object) => Json(json!({"results": shapes::properties(object)})).into_response(),
        None => missing("Unable to infer object type"),
    }
}

/// Stages of deals, in the one pipeline.
async fn pipelines() -> Json<Value> {
    let stages: Vec<Value> = super::crm::STAGES
        .iter()
        .enumerate()
        .map(|(at, (id, label))| {
            let closed = id.starts_with("closed").to_string();
            json!({"label": label, "displayOrder": at, "metadata": {"isClosed": closed}, "id": id, "archived": false})
        })
        .collect();
    Json(json!({"results": [
        {"label": "Sales pipeline", "displayOrder": 0, "id": "default", "stages": stages, "archived": false},
    ]}))
}

/// Contacts of deals, and of activities.
async fn associations(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let asked = document(&body);
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    sandbox.crm_book(KIND, &account, |book| {
        for id in asked["inputs"].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str()) {
            let links = book.find(object, id).map(|record| record.links.clone()).unwrap_or_default();
            if links.is_empty() {
                errors.push(json!({
                    "status": "error",
                    "category": "OBJECT_NOT_FOUND",
                    "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    "message": format!("No contact is associated with {kind} {id}."),
                    "context": {"fromObjectId": [id]},
                }));
                continue;
            }
            let kinds = json!([{"category": "HUBSPOT_DEFINED", "typeId": 3, "label": null}]);
            let to: Vec<Value> =
                links.iter().map(|link| json!({"toObjectId": link, "associationTypes": kinds})).collect();
            results.push(json!({"from": {"id": id}, "to": to}));
        }
    });
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let mut answer = json!({"status": "COMPLETE", "results": results});
    if !errors.is_empty() {
        answer["numErrors"] = json!(errors.len());
        answer["errors"] = json!(errors);
    }
    (status, Json(answer)).into_response()
}
