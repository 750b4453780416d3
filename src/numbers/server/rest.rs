use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::access::Action;
use crate::access::server::{Db, Visitor};
use crate::numbers::model::NumberQuery;
use crate::prompts::server::rest::csv_answer;
use crate::shared::{AppError, csv_cell};

/// The most rows of one file.
const MOST: usize = 10_000;

/// `/numbers/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/numbers/export.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<NumberQuery>,
) -> Result<Response, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    let page = store::list(&mut tx, &NumberQuery { cursor: None, ..query }, MOST).await?;
    let rows = page.rows.into_iter().map(|row| {
        vec![
            row.number,
            row.status.as_str().to_owned(),
            row.direction.as_str().to_owned(),
            row.client.unwrap_or_default(),
            row.agent.unwrap_or_default(),
            row.country.unwrap_or_default(),
            row.monthly_cost.map(|cost| cost.0.normalize().to_string()).unwrap_or_default(),
            row.purchased.map(|at| at.utc).unwrap_or_default(),
            row.error.unwrap_or_default(),
        ]
    });
    let head =
        ["number", "status", "direction", "client", "agent", "country", "monthly_cost_usd", "purchased_at", "note"];
    Ok(csv_answer("numbers.csv", csv_cell::file(&head, rows)))
}
