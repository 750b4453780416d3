//! Usage in the public API.

use axum::extract::Query;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};

use crate::model::UsageDay;
use patchbay_access::server::{Db, Scope};
use patchbay_shared::AppError;
use rust_decimal::Decimal;

/// `GET /v1/usage`: the last thirty days, today included, in the zone of the key's owner; `client`.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/usage", get(days))
}

#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
}

#[derive(Serialize)]
struct Days {
    /// IANA name of the zone that the days are in.
    timezone: String,
    data: Vec<Day>,
    /// Calls that the provider has not priced yet: their cost is in no figure.
    unpriced_calls: i64,
    /// Answers of models of which the service did not say the price: they are in no figure either.
    unpriced_answers: i64,
}

#[derive(Serialize)]
struct Day {
    day: String,
    calls: i64,
    talk_seconds: i64,
    tokens: i64,
    voice_usd: Decimal,
    carrier_usd: Decimal,
    models_usd: Decimal,
    spend_usd: Decimal,
}

async fn days(Extension(scope): Extension<Scope>, Query(asked): Query<Asked>) -> Result<Json<Days>, AppError> {
    let usage = super::usage(&scope, asked.client.as_deref()).await?;
    let data = usage.days.into_iter().map(day).collect();
    let (unpriced_calls, unpriced_answers) = (usage.total.unpriced, usage.total.unpriced_answers);
    Ok(Json(Days { timezone: usage.zone, data, unpriced_calls, unpriced_answers }))
}

fn day(day: UsageDay) -> Day {
    Day {
        spend_usd: day.spend().0,
        day: day.day,
        calls: day.calls,
        talk_seconds: day.seconds,
        tokens: day.tokens,
        voice_usd: day.voice.0,
        carrier_usd: day.carrier.0,
        models_usd: day.model.0,
    }
}
