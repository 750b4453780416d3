use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use super::store;
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `GET /clients.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/clients.csv", get(export))
}

/// The filters as the page has them in its address.
#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
    state: Option<String>,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let archived = asked.state.as_deref() == Some("archived");
    let head = vec!["name", "agents", "campaigns", "people", "time zone", "since (UTC)", "state"];
    csv_file(scope, Action::ReadWorkshop, "clients.csv", head, move |mut tx, cursor| {
        let words = asked.q.clone();
        async move {
            let page = store::list(&mut tx, words.as_deref(), archived, cursor.as_deref(), ROWS_AT_ONCE).await?;
            let rows = page.map(|row| {
                vec![
                    row.name,
                    row.agents.to_string(),
                    row.campaigns.to_string(),
                    row.users.to_string(),
                    row.timezone,
                    row.created.utc,
                    row.status.label().to_owned(),
                ]
            });
            Ok(rows)
        }
    })
    .await
}
