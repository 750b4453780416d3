//! Sums over calls: in all, by day and by hour, in UTC.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, Timelike, Utc};
use serde_json::{Value, json};

use super::list::{Filter, every_call};
use super::paging::Params;
use super::shapes::billed_seconds;
use crate::call::{Answer, Call};
use crate::clock::span;
use crate::gate::{Key, Provider};
use crate::state::Sandbox;

#[derive(Default, Clone, Copy)]
struct Sum {
    calls: u64,
    errors: u64,
    joined: u64,
    seconds: f64,
    billed: u64,
}

impl Sum {
    fn add(&mut self, call: &Call) {
        let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
        self.calls += 1;
        self.errors += u64::from(matches!(call.plan.answer, Answer::Dropped | Answer::Unknown));
        self.joined += u64::from(call.joined.is_some());
        self.seconds += talk;
        self.billed += if call.billed { billed_seconds(talk) } else { 0 };
    }

    fn shape(&self) -> Value {
        json!({
            "totalCount": self.calls,
            "errorCount": self.errors,
            "duration": span(self.seconds),
            "joinedCount": self.joined,
            "billedMinutes": self.billed as f64 / 60.0,
        })
    }
}

pub(super) async fn calls(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    params: Params,
) -> Response {
    let summed = tokio::task::spawn_blocking(move || sum(&sandbox, &key, &params)).await;
    match summed {
        Ok(document) => Json(document).into_response(),
        Err(_) => Provider::Ultravox.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error."),
    }
}

fn sum(sandbox: &Sandbox, key: &str, params: &[(String, String)]) -> Value {
    let mut all = Sum::default();
    let mut days: BTreeMap<NaiveDate, Sum> = BTreeMap::new();
    let mut hours: BTreeMap<(NaiveDate, u32), Sum> = BTreeMap::new();
    every_call(sandbox, key, &Filter::read(params, None), |call| {
        let at: DateTime<Utc> = call.clock.at(0.0);
        all.add(call);
        days.entry(at.date_naive()).or_default().add(call);
        hours.entry((at.date_naive(), at.hour())).or_default().add(call);
    });
    let dated = |sum: &Sum, date: &NaiveDate| {
        let mut shape = sum.shape();
        shape["date"] = json!(date);
        shape
    };
    let daily: Vec<Value> = days.iter().map(|(date, sum)| dated(sum, date)).collect();
    let hourly = hours.iter().map(|((date, hour), sum)| {
        let mut shape = dated(sum, date);
        shape["hour"] = json!(hour);
        shape
    });
    json!({"allTime": all.shape(), "daily": daily, "hourly": hourly.collect::<Vec<_>>()})
}
