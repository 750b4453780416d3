use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::views;
use crate::model::{PriceQuery, PriceRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `/connections/models/prices.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/connections/models/prices.csv", get(export))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<PriceQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
        "account",
        "model",
        "from",
        "usd_per_million_read",
        "usd_per_million_cached",
        "usd_per_million_written",
        "source",
    ];
    csv_file(scope, Action::ReadWorkshop, "model-prices.csv", head, move |mut tx, cursor| {
        let query = PriceQuery { cursor, ..query.clone() };
        async move { Ok(views::page_of_prices(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: PriceRow) -> Vec<String> {
    vec![
        row.account,
        row.model,
        row.from.utc,
        row.price.read.normalize().to_string(),
        row.price.cached.unwrap_or(row.price.read).normalize().to_string(),
        row.price.written.normalize().to_string(),
        row.source.to_string(),
    ]
}
