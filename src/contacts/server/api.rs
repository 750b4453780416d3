//! Contacts in the public API.

use axum::extract::{Path, Query, RawQuery};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ops, store};
use crate::model::{Contact, ContactForm, ContactQuery, ContactRow};
use patchbay_access::Action;
use patchbay_access::server::{Body, Db, Scope, WriteTx, page_size};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ContactId;

/// `GET /v1/contacts`: newest first; `q`, `client`, `suppressed`, `cursor`, `limit`. `POST /v1/contacts`: a new one.
/// `GET` and `PUT /v1/contacts/{id}`: one contact.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/contacts", get(list).post(create)).route("/v1/contacts/{id}", get(one).put(change))
}

/// A contact as programs send it.
#[derive(Deserialize)]
struct Sent {
    /// The client that it belongs to; only for a new one.
    #[serde(default)]
    client_id: String,
    #[serde(flatten)]
    form: ContactForm,
}

async fn list(
    Extension(scope): Extension<Scope>,
    Query(query): Query<ContactQuery>,
    RawQuery(asked): RawQuery,
) -> Result<Json<Value>, AppError> {
    let limit = page_size(asked.as_deref().unwrap_or_default())?;
    let mut tx = scope.read(Action::ReadContacts).await?;
    let page = store::list(&mut tx, &query, limit).await?;
    let rows: Vec<Value> = page.rows.iter().map(row).collect();
    Ok(Json(json!({ "data": rows, "next": page.older })))
}

async fn one(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    Ok(Json(whole(&store::get(&mut tx, id.parse()?).await?)))
}

async fn create(Extension(scope): Extension<Scope>, Body(sent): Body<Sent>) -> Result<Response, AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let no_client = |_| AppError::invalid("client_id", "Name a client of the agency by its id.");
    let client = ops::client_of(&scope, &sent.client_id).map_err(no_client)?;
    let id = ops::create(&mut tx, client, &sent.form).await.map_err(|error| match error {
        AppError::Invalid(fields) if fields.at("client").is_some() => no_client(AppError::Invalid(fields)),
        other => other,
    })?;
    let answer = answer(&mut tx, id, &sent.form).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn change(
    Extension(scope): Extension<Scope>,
    Path(id): Path<String>,
    Body(sent): Body<Sent>,
) -> Result<Json<Value>, AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let id: ContactId = id.parse()?;
    ops::change(&mut tx, id, &sent.form).await?;
    let answer = answer(&mut tx, id, &sent.form).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

/// The contact as it is after a change. Whoever may only write hears its id and what they sent themselves.
async fn answer(tx: &mut WriteTx, id: ContactId, sent: &ContactForm) -> Result<Value, AppError> {
    if tx.scope().may(Action::ReadContacts) {
        return Ok(whole(&store::get(tx.reading(), id).await?));
    }
    let mut answer = serde_json::to_value(sent).map_err(internal)?;
    answer["id"] = json!(id);
    Ok(answer)
}

fn row(contact: &ContactRow) -> Value {
    json!({
        "id": contact.id,
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.email,
        "company": contact.company,
        "client": contact.client_name,
        "do_not_call": contact.do_not_call,
        "created_at": contact.created.utc,
    })
}

fn whole(contact: &Contact) -> Value {
    json!({
        "id": contact.id,
        "client": { "id": contact.client_id, "name": contact.client_name },
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.email,
        "company": contact.company,
        "timezone": contact.timezone,
        "attributes": contact.attributes,
        "do_not_call": contact.do_not_call,
        "do_not_call_reason": contact.do_not_call_reason,
        "created_at": contact.created.utc,
        "updated_at": contact.updated.utc,
    })
}
