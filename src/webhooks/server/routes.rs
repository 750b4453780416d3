use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::pages;
use crate::model::{DeliveryQuery, DeliveryRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookEndpointId;

/// Deliveries of an endpoint as a file. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/webhooks/{endpoint}/deliveries.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Path(endpoint): Path<String>,
    Query(query): Query<DeliveryQuery>,
) -> Result<Response, AppError> {
    let endpoint: WebhookEndpointId = endpoint.parse()?;
    let head = vec![
        "event at (UTC)",
        "event",
        "id",
        "state",
        "tries",
        "last status",
        "last error",
        "latency (ms)",
        "next try (UTC)",
    ];
    csv_file(visitor.scope()?, Action::ManageWebhooks, "deliveries.csv", head, move |mut tx, cursor| {
        let query = DeliveryQuery { cursor, ..query.clone() };
        async move { Ok(pages::rows(&mut tx, endpoint, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: DeliveryRow) -> Vec<String> {
    let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        row.at.utc,
        row.event.as_str().to_owned(),
        row.message_id,
        row.state.as_str().to_owned(),
        row.tries.to_string(),
        number(row.last_status),
        row.last_error.unwrap_or_default(),
        number(row.last_ms),
        row.next.map(|at| at.utc).unwrap_or_default(),
    ]
}
