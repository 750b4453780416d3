use axum::body::Body;
use axum::extract::{Path, Query, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::byte_range::{self, Asked};
use super::{recordings, store};
use crate::model::{CallDirection, CallQuery, CallRow, Said};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Scope, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::CallId;
use patchbay_shared::money::length_text;

/// The sound of a call, the list as a file, a transcript as text.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/calls.csv", get(export))
        .route("/calls/{id}/recording.wav", get(recording))
        .route("/calls/{id}/transcript.txt", get(transcript))
}

#[derive(Deserialize)]
struct Wanted {
    /// Present: save it instead of playing it.
    download: Option<String>,
}

/// Whole or in parts, so that a player can jump. A part is given only of the file that the player knows (`If-Range`).
async fn recording(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let id: CallId = id.parse()?;
    if !visitor.viewer()?.hears_recordings() {
        return Err(AppError::NotFound);
    }
    let found = {
        let mut tx = scope.read(Action::ReadCalls).await?;
        store::detail::recording(&mut tx, id).await?
    };
    let (key, started) = found.ok_or(AppError::NotFound)?;
    let store = &*scope.services().recordings;
    let meta = recordings::head(store, &key).await?;
    let tag = format!("\"{}-{}\"", meta.size, meta.last_modified.timestamp_millis());
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut response = if text(header::IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag))
    {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // Only the tag counts: a date is too coarse to tell two files of one second apart.
        let is_known = text(header::IF_RANGE).is_none_or(|known| known.trim() == tag);
        match byte_range::read(text(header::RANGE).filter(|_| is_known), meta.size) {
            Asked::Whole => {
                let body = Body::from_stream(recordings::read(store, &key, None).await?.into_stream());
                ([(header::CONTENT_LENGTH, meta.size)], body).into_response()
            }
            Asked::Part(part) => {
                let range = format!("bytes {}-{}/{}", part.start, part.end - 1, meta.size);
                let length = part.end - part.start;
                let body = Body::from_stream(recordings::read(store, &key, Some(part)).await?.into_stream());
                let head = [(header::CONTENT_RANGE, range), (header::CONTENT_LENGTH, length.to_string())];
                (StatusCode::PARTIAL_CONTENT, head, body).into_response()
            }
            Asked::Outside => {
                let range = format!("bytes */{}", meta.size);
                (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response()
            }
        }
    };
    let kind = if wanted.download.is_some() { "attachment" } else { "inline" };
    let (ending, media_type) = recordings::kind_of_key(&key);
    let name = file_name(&scope, "call", started, ending);
    put(&mut response, header::ETAG, &tag)?;
    put(&mut response, header::CONTENT_TYPE, media_type)?;
    put(&mut response, header::ACCEPT_RANGES, "bytes")?;
    put(&mut response, header::CACHE_CONTROL, "private, no-cache")?;
    put(&mut response, header::CONTENT_DISPOSITION, &format!("{kind}; filename=\"{name}\""))?;
    Ok(response)
}

/// What was said, for reading elsewhere. Tools are left out: whom it is sent to is not known.
async fn transcript(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let mut tx = scope.read(Action::ReadCalls).await?;
    let call = store::detail::get(&mut tx, id.parse()?, &CallQuery::default()).await?;
    drop(tx);
    let agent = call.agent.as_ref().map_or("Agent", |(_, name)| name.as_str());
    let mut out = format!("{}\n{}\n", call.title, call.started.full);
    if let Some(seconds) = call.seconds {
        out += &format!("Length {}\n", length_text(seconds));
    }
    if let Some(summary) = &call.summary {
        out += &format!("\n{summary}\n");
    }
    out += "\n";
    if call.transcript_status.is_none() {
        out += "Nobody answered, so there was no conversation.\n";
    }
    for turn in call.turns.iter().filter(|turn| turn.by != Said::Tool) {
        let time = turn.second().map_or_else(|| "–".to_owned(), length_text);
        let who = if turn.by == Said::Agent { agent } else { call.title.as_str() };
        out += &format!("[{time}] {who}: {}\n", turn.text.trim());
    }
    let started: DateTime<Utc> = call.started.utc.parse().map_err(internal)?;
    let name = file_name(&scope, "transcript", started, "txt");
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((head, out).into_response())
}

/// The list with its present filters, newest first.
async fn export(Extension(visitor): Extension<Visitor>, RawQuery(asked): RawQuery) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let columns = Columns { cost: visitor.viewer()?.sees_cost(), client: scope.may(Action::ReadWorkshop) };
    let query = CallQuery::parse(asked.as_deref().unwrap_or_default());
    csv_file(scope, Action::ReadCalls, "calls.csv", columns.names(), move |mut tx, cursor| {
        let query = CallQuery { cursor, ..query.clone() };
        async move {
            let (page, _) = store::list(&mut tx, &query, ROWS_AT_ONCE, false).await?;
            Ok(page.map(|row| columns.cells(&row)))
        }
    })
    .await
}

/// Which columns the person may have.
#[derive(Clone, Copy)]
struct Columns {
    cost: bool,
    client: bool,
}

impl Columns {
    fn names(self) -> Vec<&'static str> {
        let mut names = vec![
            "id",
            "started (UTC)",
            "result",
            "contact",
            "number",
            "agent",
            "direction",
            "seconds",
            "outcome",
            "goal reached",
            "sentiment",
            "reviewed",
            "missed because",
        ];
        names.extend(self.client.then_some("client"));
        names.extend(self.cost.then_some("cost (USD)"));
        names
    }

    fn cells(self, row: &CallRow) -> Vec<String> {
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let mut cells = vec![
            row.id.to_string(),
            row.started.utc.clone(),
            row.state.label().to_owned(),
            row.contact.clone(),
            row.number.clone().unwrap_or_default(),
            row.agent.clone().unwrap_or_default(),
            if row.direction == CallDirection::Inbound { "in" } else { "out" }.to_owned(),
            row.seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
            row.disposition().map(|outcome| outcome.label().to_owned()).unwrap_or_default(),
            row.goal_reached.map(yes).unwrap_or_default(),
            row.sentiment.map(|sentiment| sentiment.label().to_owned()).unwrap_or_default(),
            yes(row.is_reviewed),
            row.missed.clone().unwrap_or_default(),
        ];
        cells.extend(self.client.then(|| row.client.clone().unwrap_or_default()));
        cells.extend(self.cost.then(|| row.cost.map(|cost| cost.0.to_string()).unwrap_or_default()));
        cells
    }
}

fn file_name(scope: &Scope, what: &str, at: DateTime<Utc>, ending: &str) -> String {
    format!("{what}-{}.{ending}", at.with_timezone(&scope.zone()).format("%Y-%m-%d-%H%M"))
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) -> Result<(), AppError> {
    response.headers_mut().insert(name, HeaderValue::from_str(value).map_err(internal)?);
    Ok(())
}
