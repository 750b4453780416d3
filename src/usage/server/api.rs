//! Usage in the public API.

use axum::extract::Query;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};

use super::Request;
use crate::model::{PeriodAsked, UsageDay};
use patchbay_access::server::{Db, Scope};
use patchbay_metering::model::TextSums;
use patchbay_shared::AppError;
use rust_decimal::Decimal;

/// `GET /v1/usage`: days of one client or of all, by default the last thirty; `client`, `period`, `from`, `to`; with `by` weeks or
/// months of them.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/usage", get(days))
}

#[derive(Deserialize)]
struct Asked {
    client: Option<String>,
    period: Option<String>,
    from: Option<String>,
    to: Option<String>,
    by: Option<String>,
}

#[derive(Serialize)]
struct Days {
    /// IANA name of the zone that the days are in; null: each client's own.
    timezone: Option<String>,
    /// `day`, `week` or `month`: what each of `data` is.
    by: &'static str,
    data: Vec<Day>,
    /// Calls that the provider has not priced yet: their cost is in no figure.
    unpriced_calls: i64,
    /// Answers of models of which the service did not say the price: they are in no figure either.
    unpriced_answers: i64,
    /// Text messages of which the carrier did not say the price: nor are they.
    unpriced_text_messages: i64,
}

#[derive(Serialize)]
struct Day {
    /// The first day, and the last; of single days they are the same.
    day: String,
    last_day: String,
    calls: i64,
    answered: i64,
    goals: i64,
    talk_seconds: i64,
    characters: i64,
    tokens: i64,
    voice_usd: Decimal,
    carrier_usd: Decimal,
    models_usd: Decimal,
    spend_usd: Decimal,
    unpriced_calls: i64,
    /// Text messages that a carrier took, their parts, and what they cost, which is no part of `spend_usd`.
    text_messages: i64,
    text_message_parts: i64,
    text_messages_usd: Decimal,
}

async fn days(Extension(scope): Extension<Scope>, Query(asked): Query<Asked>) -> Result<Json<Days>, AppError> {
    let period = PeriodAsked { period: asked.period, from: asked.from, to: asked.to };
    let request = Request {
        client: asked.client.as_deref(),
        asked: &period,
        by: asked.by.as_deref(),
        sort: None,
        is_strict: true,
        most_clients: 0,
    };
    let usage = super::usage(&scope, request).await?;
    let texts = usage.texts;
    Ok(Json(Days {
        timezone: usage.shown.zone,
        by: usage.by.as_str(),
        data: usage.days.into_iter().map(|row| day(texts.on(row.day), row)).collect(),
        unpriced_calls: usage.total.unpriced,
        unpriced_answers: usage.total.unpriced_answers,
        unpriced_text_messages: texts.total.unpriced,
    }))
}

fn day(texts: TextSums, UsageDay { day, last, sums, .. }: UsageDay) -> Day {
    Day {
        day: day.to_string(),
        last_day: last.to_string(),
        calls: sums.calls,
        answered: sums.answered,
        goals: sums.goals,
        talk_seconds: sums.seconds,
        characters: sums.characters,
        tokens: sums.tokens,
        voice_usd: sums.voice.0,
        carrier_usd: sums.carrier.0,
        models_usd: sums.model.0,
        spend_usd: sums.spend().0,
        unpriced_calls: sums.unpriced,
        text_messages: texts.messages,
        text_message_parts: texts.parts,
        text_messages_usd: texts.cost.0,
    }
}
