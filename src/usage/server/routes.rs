use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;

use crate::model::{Numbers, Usage};
use patchbay_access::server::{Db, Visitor};
use patchbay_shared::{AppError, csv_cell};

/// `GET /usage.csv`: the days of the page, one a row; with `part=numbers` the phone numbers by month.
pub fn routes() -> Router<Db> {
    Router::new().route("/usage.csv", get(export))
}

#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
    part: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Numbers,
}

async fn export(Extension(visitor): Extension<Visitor>, Query(asked): Query<Asked>) -> Result<Response, AppError> {
    let usage = super::usage(&visitor.scope()?, asked.client.as_deref()).await?;
    let (name, file) = match asked.part {
        None => ("usage", days(&usage)),
        Some(Part::Numbers) => ("numbers-by-month", numbers(&usage.numbers.ok_or(AppError::NotFound)?)),
    };
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let head =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((head, file).into_response())
}

fn days(usage: &Usage) -> String {
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
    csv_cell::file(&columns, rows)
}

/// A row for each number and month in which it was held. What it costs is empty while that is not known.
fn numbers(numbers: &Numbers) -> String {
    let rows = numbers.rows.iter().flat_map(|row| {
        numbers.months.iter().zip(&row.months).filter_map(|(month, rent)| {
            let rent = (*rent)?;
            let rent = if row.is_priced { rent.0.to_string() } else { String::new() };
            Some(vec![month.clone(), row.number.clone(), row.client.clone().unwrap_or_default(), rent])
        })
    });
    csv_cell::file(&["month", "number", "client", "rent (USD)"], rows)
}
