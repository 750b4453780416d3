use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use super::{invitations, store};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `GET /settings/users.csv` and `GET /settings/invitations.csv`: the lists with the filters of their addresses.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/users.csv", get(export)).route("/settings/invitations.csv", get(export_invitations))
}

/// The filter as the page has it in its address.
#[derive(Deserialize)]
struct Asked {
    role: Option<String>,
    client: Option<String>,
    status: Option<String>,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["name", "email", "role", "client", "last sign-in (UTC)", "second factor", "state"];
    csv_file(scope, Action::ReadMembers, "users.csv", head, move |mut tx, cursor| {
        let (role, client) = (asked.role.clone(), asked.client.clone());
        async move {
            let page =
                store::list(&mut tx, role.as_deref(), client.as_deref(), cursor.as_deref(), ROWS_AT_ONCE).await?;
            let rows = page.map(|row| {
                vec![
                    row.name,
                    row.email,
                    row.role.label().to_owned(),
                    row.client.unwrap_or_default(),
                    row.last_login.map(|at| at.utc).unwrap_or_default(),
                    if row.has_second_factor { "on" } else { "off" }.to_owned(),
                    row.status.label().to_owned(),
                ]
            });
            Ok(rows)
        }
    })
    .await
}

async fn export_invitations(
    Extension(visitor): Extension<Visitor>,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["email", "role", "client", "invited by", "invited (UTC)", "ends (UTC)", "state"];
    let status = asked.status.and_then(|status| status.parse().ok());
    csv_file(scope, Action::ReadMembers, "invitations.csv", head, move |mut tx, cursor| async move {
        let page = invitations::list(&mut tx, status, cursor.as_deref(), ROWS_AT_ONCE).await?;
        let rows = page.map(|row| {
            vec![
                row.email,
                row.role.label().to_owned(),
                row.client.unwrap_or_default(),
                row.inviter.unwrap_or_default(),
                row.created.utc,
                row.expires.utc,
                row.status.label().to_owned(),
            ]
        });
        Ok(rows)
    })
    .await
}
