use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::model::{NumberQuery, NumberRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `/numbers/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/numbers/export.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<NumberQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
        "number",
        "status",
        "direction",
        "client",
        "agent",
        "country",
        "carrier",
        "monthly_cost_usd",
        "purchased_at",
        "note",
        "route",
    ];
    csv_file(scope, Action::ReadWorkshop, "numbers.csv", head, move |mut tx, cursor| {
        let query = NumberQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: NumberRow) -> Vec<String> {
    vec![
        row.number,
        row.status.as_str().to_owned(),
        row.direction.as_str().to_owned(),
        row.client.unwrap_or_default(),
        row.agent.unwrap_or_default(),
        row.country.unwrap_or_default(),
        row.carrier,
        row.monthly_cost.map(|cost| cost.0.normalize().to_string()).unwrap_or_default(),
        row.purchased.map(|at| at.utc).unwrap_or_default(),
        row.error.unwrap_or_default(),
        row.route_trouble.unwrap_or_default(),
    ]
}
