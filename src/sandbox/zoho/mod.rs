//! Zoho CRM as it answers, in version 8: sign-in, contacts, deals, calls, tasks.

mod finding;
mod shapes;
mod writing;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Json, Router};
use serde_json::{Value, json};

use super::crm::book::Object;
use super::crm::sign_in::{self, Params};
use super::crm::{CrmAccount, CrmKind, zoho_gate};
use super::state::Sandbox;

const KIND: CrmKind = CrmKind::Zoho;

pub(super) fn routes(sandbox: Arc<Sandbox>) -> Router<Arc<Sandbox>> {
    let api = Router::new()
        .route("/crm/v8/org", get(org))
        .route("/crm/v8/users", get(users))
        .route("/crm/v8/settings/fields", get(fields))
        .route("/crm/v8/{module}", get(finding::list).post(writing::create).put(writing::update))
        .route("/crm/v8/{module}/upsert", post(writing::upsert))
        .route("/crm/v8/{module}/search", get(finding::search))
        .route("/crm/v8/{module}/deleted", get(finding::deleted))
        .route("/crm/v8/{module}/actions/count", get(finding::count))
        .route("/crm/v8/{module}/{id}", get(finding::get))
        .fallback(|| async { missing() })
        .layer(axum::middleware::from_fn_with_state(sandbox, zoho_gate));
    Router::new()
        .route("/oauth/v2/auth", get(page))
        .route("/oauth/v2/auth/agree", get(agree))
        .route(
            "/oauth/v2/auth/deny",
            get(|Query(params): Query<Params>| async move { sign_in::back(sign_in::denied(&params)) }),
        )
        .route("/oauth/v2/token", post(token))
        .route("/oauth/v2/token/revoke", post(revoke))
        .merge(api)
}

async fn page(Query(params): Query<Params>) -> Response {
    sign_in::page(KIND, "/zoho/oauth/v2/auth", &params)
}

async fn agree(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, Query(params): Query<Params>) -> Response {
    sign_in::back(sign_in::agreed(&sandbox, KIND, &sign_in::base(&headers, "zoho"), &params))
}

async fn token(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, Form(form): Form<Params>) -> Response {
    sign_in::token(&sandbox, KIND, &sign_in::base(&headers, "zoho"), &form).await
}

async fn revoke(State(sandbox): State<Arc<Sandbox>>, Form(form): Form<Params>) -> Response {
    sign_in::revoke(&sandbox, KIND, &form)
}

fn missing() -> Response {
    KIND.error(
        StatusCode::NOT_FOUND,
        "INVALID_URL_PATTERN",
        "Please check if the URL trying to access is a correct one",
    )
}

fn invalid(code: &str, message: &str) -> Response {
    KIND.error(StatusCode::BAD_REQUEST, code, message)
}

fn object_of(module: &str) -> Result<Object, Box<Response>> {
    match module {
        "Contacts" => Ok(Object::Contact),
        "Deals" => Ok(Object::Deal),
        "Calls" => Ok(Object::Call),
        "Tasks" => Ok(Object::Task),
        "Notes" => Ok(Object::Note),
        "Events" => Ok(Object::Meeting),
        _ => Err(Box::new(KIND.error(
            StatusCode::BAD_REQUEST,
            "INVALID_MODULE",
            "the module name given seems to be invalid",
        ))),
    }
}

async fn org(Extension(CrmAccount(account)): Extension<CrmAccount>) -> Json<Value> {
    let id = sign_in::portal(&account).to_string();
    Json(
        json!({"org": [{"id": format!("36523970000{id}"), "zgid": id, "company_name": "Cobalt Insurance", "country": "Germany"}]}),
    )
}

async fn users() -> Json<Value> {
    let user = json!({"id": "3652397000000281001", "full_name": "Rosa Kessler", "email": "r.kessler@cobalt.example", "status": "active"});
    Json(json!({"users": [user], "info": {"per_page": 200, "count": 1, "page": 1, "more_records": false}}))
}

async fn fields(Query(params): Query<Params>) -> Response {
    match object_of(params.get("module").map(String::as_str).unwrap_or_default()) {
        Ok(object) => Json(json!({"fields": shapes::fields(object)})).into_response(),
        Err(refused) => *refused,
    }
}
