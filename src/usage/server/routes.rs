use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use patchbay_access::server::{Db, Visitor};
use patchbay_shared::{AppError, csv_cell};

/// `GET /usage.csv`: the days of the page, one a row.
pub fn routes() -> Router<Db> {
    Router::new().route("/usage.csv", get(export))
}

#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let usage = super::usage(&visitor.scope()?, asked.client.as_deref()).await?;
    let rows = usage.days.iter().map(|day| {
        vec![
            day.day.clone(),
            day.calls.to_string(),
            day.seconds.to_string(),
            day.tokens.to_string(),
            day.voice.0.to_string(),
            day.carrier.0.to_string(),
            day.model.0.to_string(),
            day.spend().0.to_string(),
            day.unpriced.to_string(),
            day.unpriced_answers.to_string(),
        ]
    });
    let columns = [
        "day",
        "calls",
        "seconds of talk",
        "tokens",
        "voice (USD)",
        "carrier (USD)",
        "models (USD)",
        "spend (USD)",
        "calls not priced yet",
        "answers of models not priced yet",
    ];
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((head, csv_cell::file(&columns, rows)).into_response())
}
