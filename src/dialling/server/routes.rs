use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::list;
use crate::model::call_back::{CallBackQuery, CallBackRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `GET /call-backs.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/call-backs.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<CallBackQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["contact", "number", "client", "campaign", "state", "time (UTC)", "words", "reason", "asked (UTC)"];
    csv_file(scope, Action::ReadCampaigns, "call-backs.csv", head, move |mut tx, cursor| {
        let query = CallBackQuery { cursor, ..query.clone() };
        async move { Ok(list::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: CallBackRow) -> Vec<String> {
    vec![
        row.contact,
        row.number,
        row.client,
        row.campaign.unwrap_or_default(),
        row.status.label().to_owned(),
        row.due.map(|at| at.utc).unwrap_or_default(),
        row.words.unwrap_or_default(),
        row.why.unwrap_or_default(),
        row.created.utc,
    ]
}
