use axum::extract::{DefaultBodyLimit, Extension, Path, Query};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{export, upload};
use crate::ContactQuery;
use patchbay_access::server::{Db, Visitor};
use patchbay_shared::AppError;
use patchbay_shared::ids::ImportId;

/// Uploads and downloads. They need a signed-in visitor.
pub fn routes() -> axum::Router<Db> {
    axum::Router::new()
        // The upload counts for itself, because it says more than "too large".
        .route("/contacts/imports/upload", post(upload::upload).layer(DefaultBodyLimit::disable()))
        .route("/contacts/imports.csv", get(imports))
        .route("/contacts/imports/template.csv", get(template))
        .route("/contacts/imports/{id}/rejected.csv", get(rejected))
        .route("/contacts/export.csv", get(contacts))
}

/// The filter of the list of imports, as the page has it in its address.
#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
}

async fn imports(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let client = asked.client.and_then(|id| id.parse().ok());
    export::imports(visitor.scope()?, client).await
}

async fn template(Extension(visitor): Extension<Visitor>) -> Result<Response, AppError> {
    visitor.scope()?;
    Ok(export::template())
}

async fn rejected(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let id: ImportId = id.parse()?;
    export::rejected(visitor.scope()?, id).await
}

async fn contacts(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<ContactQuery>,
) -> Result<Response, AppError> {
    export::contacts(visitor.scope()?, query).await
}
