use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use super::store;
use crate::access::Action;
use crate::access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use crate::shared::AppError;

/// `GET /settings/users.csv`: the list with the filter of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/users.csv", get(export))
}

/// The filter as the page has it in its address.
#[derive(Deserialize)]
struct Asked {
    role: Option<String>,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["name", "email", "role", "client", "last sign-in (UTC)", "state"];
    csv_file(scope, Action::ReadMembers, "users.csv", head, move |mut tx, cursor| {
        let role = asked.role.clone();
        async move {
            let page = store::list(&mut tx, role.as_deref(), cursor.as_deref(), ROWS_AT_ONCE).await?;
            let rows = page.map(|row| {
                vec![
                    row.name,
                    row.email,
                    row.role.label().to_owned(),
                    row.client.unwrap_or_default(),
                    row.last_login.map(|at| at.utc).unwrap_or_default(),
                    row.status.label().to_owned(),
                ]
            });
            Ok(rows)
        }
    })
    .await
}
