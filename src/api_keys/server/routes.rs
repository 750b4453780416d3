use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use patchbay_access::server::{Db, Scope};
use patchbay_shared::AppError;

/// `GET /v1/me`: whose key this is and what it may do now.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/me", get(me))
}

async fn me(Extension(scope): Extension<Scope>) -> Result<Json<Value>, AppError> {
    let (viewer, key) = (scope.viewer().ok_or(AppError::NotSignedIn)?, scope.key().ok_or(AppError::NotSignedIn)?);
    let scopes: Vec<&str> = key.scopes.iter().filter(|one| scope.may(one.action())).map(|one| one.as_str()).collect();
    Ok(Json(json!({
        "workspace": { "id": scope.workspace_id(), "name": viewer.workspace.as_ref().map(|home| &home.name) },
        "owner": { "id": viewer.user_id, "name": viewer.name, "role": viewer.role },
        "key": { "id": key.id, "name": key.name, "scopes": scopes },
    })))
}
