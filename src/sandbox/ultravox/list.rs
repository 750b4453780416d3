//! Lists of calls and their sums, of the past and since, with the provider's filters.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::paging::{Params, address, page_size, param};
use super::shapes;
use crate::call::{Call, seconds_of};
use crate::gate::{Key, Provider};
use crate::past::{Row, Teller};
use crate::settings::Quirks;
use crate::state::{Account, Sandbox};

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    list_calls(&sandbox, &key, None, &params, &uri, &headers)
}

pub(super) async fn list_of_agent(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(agent_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    list_calls(&sandbox, &key, Some(&agent_id), &params, &uri, &headers)
}

/// What a query asks for.
pub(super) struct Filter<'a> {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    agents: Vec<&'a str>,
    metadata: Vec<(&'a str, &'a str)>,
    least: Option<f64>,
    most: Option<f64>,
    day_from: Option<NaiveTime>,
    day_to: Option<NaiveTime>,
    voice: Option<&'a str>,
    search: Option<String>,
}

impl<'a> Filter<'a> {
    pub fn read(params: &'a [(String, String)], agent: Option<&'a str>) -> Filter<'a> {
        let all = params.iter().filter(|(name, _)| name == "agentIds").map(|(_, value)| value.as_str());
        let span = |name: &str| param(params, name).and_then(|text| seconds_of(Some(&json!(text))));
        let clock = |name: &str| param(params, name).and_then(|text| text.parse().ok());
        let end_of_day = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap_or(NaiveTime::MIN);
        let metadata =
            params.iter().filter_map(|(name, value)| Some((name.strip_prefix("metadata.")?, value.as_str())));
        Filter {
            from: param(params, "fromDate").and_then(|text| instant(text, NaiveTime::MIN)),
            to: param(params, "toDate").and_then(|text| instant(text, end_of_day)),
            agents: agent.into_iter().chain(all).collect(),
            metadata: metadata.collect(),
            least: span("durationMin"),
            most: span("durationMax"),
            day_from: clock("timeOfDayStart"),
            day_to: clock("timeOfDayEnd"),
            voice: param(params, "voiceId"),
            search: param(params, "search").map(str::to_lowercase),
        }
    }

    fn fits_time_of_day(&self, created: DateTime<Utc>) -> bool {
        let time = created.time();
        self.day_from.is_none_or(|from| time >= from) && self.day_to.is_none_or(|to| time <= to)
    }

    /// Whether the call itself must be known to say if it fits.
    fn needs_call(&self) -> bool {
        self.least.is_some() || self.most.is_some() || self.voice.is_some() || self.search.is_some()
    }

    fn fits_call(&self, call: &Call) -> bool {
        let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
        self.least.is_none_or(|least| talk >= least)
            && self.most.is_none_or(|most| talk <= most)
            && self.voice.is_none_or(|voice| call.pick("voice").and_then(Value::as_str) == Some(voice))
            && self.search.as_ref().is_none_or(|words| {
                let agent = call.agent.as_ref().and_then(|agent| agent["name"].as_str()).unwrap_or("");
                [call.summary.as_str(), agent].iter().any(|text| text.to_lowercase().contains(words))
            })
    }

    fn fits_live(&self, call: &Call) -> bool {
        let created = call.clock.at(0.0);
        // A hurried call is dated back; whoever asks for "since I placed it" must find it all the same.
        let latest = if call.clock.historic { created } else { created.max(call.clock.placed_at) };
        self.from.is_none_or(|from| latest >= from)
            && self.to.is_none_or(|to| created <= to)
            && self.fits_time_of_day(created)
            && (self.agents.is_empty() || call.agent_id().is_some_and(|id| self.agents.contains(&id)))
            && self.fits_call(call)
    }

    /// Calls since the sandbox began, oldest first.
    fn live(&self, account: &Account) -> Vec<(i64, u128)> {
        let place = |call: &Call| (call.clock.at(0.0).timestamp_micros(), call.id.as_u128());
        let fits = |id: &Uuid| account.calls.get(id).filter(|call| self.fits_live(call)).map(place);
        let mut found: Vec<(i64, u128)> = match self.metadata.split_first() {
            None => account.order.iter().filter_map(fits).collect(),
            Some(((name, value), rest)) => {
                let mut ids = account.calls_with(name, value);
                for (name, value) in rest {
                    let with = account.calls_with(name, value);
                    ids.retain(|id| with.contains(id));
                }
                ids.iter().filter_map(fits).collect()
            }
        };
        found.sort_unstable();
        found
    }

    /// Calls of the past, oldest first. They carry no metadata.
    fn past(&self, teller: &Teller) -> Vec<Row> {
        if !self.metadata.is_empty() {
            return Vec::new();
        }
        let rows = teller.rows();
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        let first = self.from.map_or(0, |from| rows.partition_point(|row| row.at < micros(from)));
        let end = self.to.map_or(rows.len(), |to| rows.partition_point(|row| row.at <= micros(to)));
        let fits = |row: &&Row| {
            (self.agents.is_empty() || self.agents.contains(&teller.agent_id(row)))
                && self.fits_time_of_day(DateTime::from_timestamp_micros(row.at).unwrap_or_default())
                && (!self.needs_call() || self.fits_call(&teller.tell(row)))
        };
        rows.get(first..end).unwrap_or_default().iter().filter(fits).copied().collect()
    }
}

/// Newest first unless `sort=created`. The cursor is the last call's place in the order, so that calls created while
/// somebody reads neither hide others nor show them twice.
fn list_calls(
    sandbox: &Arc<Sandbox>,
    key: &str,
    agent: Option<&str>,
    params: &[(String, String)],
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let settings = sandbox.settings_for(key);
    let quirks = &settings.quirks;
    let filter = Filter::read(params, agent);
    let (live, teller, nth) = sandbox.with_account(key, |account| {
        account.pages_read = account.pages_read.wrapping_add(1);
        (filter.live(account), Teller::of(account, settings.clone()), account.pages_read)
    });
    if quirks.pages_limited_every > 0 && nth.is_multiple_of(quirks.pages_limited_every) {
        return Provider::Ultravox.limited(&settings);
    }
    let past = filter.past(&teller);
    let mut places: Vec<(i64, u128)> = past.iter().map(Row::place).collect();
    if !live.is_empty() {
        places.extend(live);
        // Two runs that are sorted already, which this sort merges.
        places.sort();
    }
    let is_descending = param(params, "sort") != Some("created");
    if is_descending {
        places.reverse();
    }
    let cursor = param(params, "cursor");
    let begin = start_of(&places, cursor, is_descending);
    let end = places.len().min(begin + page_size(params));
    let shown = &places[begin..end];
    let next = shown.last().filter(|_| end < places.len()).map(|(created, id)| match (quirks, cursor) {
        (Quirks { pages_stuck: true, .. }, Some(same)) => same.to_owned(),
        (Quirks { pages_by_position: true, .. }, _) => format!("n{end}"),
        _ => format!("{created}.{id:x}"),
    });
    let since = sandbox.with_account(key, |account| {
        let known = shown.iter().filter_map(|(_, id)| account.calls.get(&Uuid::from_u128(*id)));
        known.map(|call| (call.id, call.clone())).collect::<std::collections::HashMap<_, _>>()
    });
    let call_at = |(_, id): &(i64, u128)| {
        let id = Uuid::from_u128(*id);
        since.get(&id).map(shapes::call).or_else(|| teller.find(id).map(|call| shapes::call(&call)))
    };
    let results: Vec<Value> = shown.iter().filter_map(call_at).collect();
    if cursor.is_none() && next.is_some() && quirks.pages_grow > 0 {
        grow(sandbox, key, &teller, shown, quirks.pages_grow);
    }
    let next = next.map(|cursor| address(uri, headers, params, &cursor));
    Json(json!({"next": next, "previous": null, "results": results, "total": places.len()})).into_response()
}

/// Hands on each call that fits.
pub(super) fn every_call(sandbox: &Sandbox, key: &str, filter: &Filter<'_>, mut take: impl FnMut(&Call)) {
    let settings = sandbox.settings_for(key);
    let (live, teller) = sandbox.with_account(key, |account| {
        let live = filter.live(account).into_iter();
        let calls: Vec<Call> = live.filter_map(|(_, id)| account.calls.get(&Uuid::from_u128(id)).cloned()).collect();
        (calls, Teller::of(account, settings))
    });
    live.iter().for_each(&mut take);
    filter.past(&teller).iter().for_each(|row| take(&teller.tell(row)));
}

/// The index at which the page behind a cursor begins.
fn start_of(places: &[(i64, u128)], cursor: Option<&str>, is_descending: bool) -> usize {
    let Some(cursor) = cursor else { return 0 };
    if let Some(position) = cursor.strip_prefix('n').and_then(|text| text.parse::<usize>().ok()) {
        return position.min(places.len());
    }
    let Some(after) = read_cursor(cursor) else { return 0 };
    places.partition_point(|place| if is_descending { *place >= after } else { *place <= after })
}

/// Calls that come to light while somebody reads: half of them before the end of the page that was read, half behind it.
fn grow(sandbox: &Sandbox, key: &str, teller: &Teller, shown: &[(i64, u128)], count: u32) {
    let of_agent = shown.iter().find_map(|(_, id)| teller.find(Uuid::from_u128(*id)));
    let (Some(agent_id), Some((last, _))) = (of_agent.as_ref().and_then(Call::agent_id), shown.last()) else {
        return;
    };
    let last = DateTime::from_timestamp_micros(*last).unwrap_or_default();
    let times: Vec<DateTime<Utc>> = (0..i64::from(count))
        .map(|nth| last + Duration::milliseconds(if nth % 2 == 0 { -1 - nth } else { 1 + nth }))
        .collect();
    sandbox.reveal_calls(key, agent_id, &times);
}

fn read_cursor(text: &str) -> Option<(i64, u128)> {
    let (created, id) = text.split_once('.')?;
    Some((created.parse().ok()?, u128::from_str_radix(id, 16).ok()?))
}

/// An instant, or a date taken as that time of its day in UTC.
fn instant(text: &str, of_day: NaiveTime) -> Option<DateTime<Utc>> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(of_day).and_utc());
    }
    text.replace(' ', "+").parse().ok()
}
