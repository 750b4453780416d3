//! Writing down runs and errors. What comes from models, tools and people is cut and cleaned here, whoever brings it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::jobs::CountErrors;
use super::store::{self, errors, logs};
use crate::model::{ErrorSource, StepEvent, Trigger, normalised};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentScheduleId, AgentTriggerId, ClientId, RunId, UserId};

/// The longest message that is kept, in characters.
const MOST_MESSAGE: usize = 2000;
/// The largest payload that is kept, in bytes.
const MOST_PAYLOAD: usize = 16 * 1024;
/// The longest word of an error.
const MOST_CODE: usize = 60;

/// A run that is no call. Calls become runs by themselves: see `live`.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    pub id: RunId,
    pub agent: AgentId,
    pub client: Option<ClientId>,
    pub trigger: Trigger,
    pub title: &'a str,
    /// Whoever set it off by hand.
    pub started_by: Option<UserId>,
    pub prompt_version: Option<i32>,
}

/// Begins a run. The same id again changes nothing.
pub async fn start(tx: &mut WriteTx, new: &NewRun<'_>) -> Result<(), AppError> {
    let title = cut(new.title, 200);
    store::insert(tx, &NewRun { title: &title, ..new.clone() }, None).await?;
    notify(tx, new.id);
    Ok(())
}

/// What sets runs off without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Schedule(AgentScheduleId),
    Trigger(AgentTriggerId),
}

/// Begins a run that a schedule or a trigger set off. The same id again changes nothing.
pub async fn start_from(tx: &mut WriteTx, new: &NewRun<'_>, source: Source) -> Result<(), AppError> {
    let title = cut(new.title, 200);
    store::insert(tx, &NewRun { title: &title, ..new.clone() }, Some(source)).await?;
    notify(tx, new.id);
    Ok(())
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing has happened in it yet.
    Waiting,
    Begun,
    Ended,
}

/// Errors: `NotFound`.
pub async fn progress(tx: &mut ReadTx, run: RunId) -> Result<Progress, AppError> {
    let (has_ended, has_begun) = store::progress(tx, run).await?;
    Ok(match (has_ended, has_begun) {
        (true, _) => Progress::Ended,
        (false, true) => Progress::Begun,
        (false, false) => Progress::Waiting,
    })
}

/// What happened next in a run.
#[derive(Debug, Clone)]
pub struct NewStep<'a> {
    pub event: StepEvent,
    /// One line: what was said, or which tool it was.
    pub message: &'a str,
    /// What went in and what came out, for people: `{"input": …, "output": …}`. Without secrets.
    pub payload: Value,
    pub began: DateTime<Utc>,
    pub took: Duration,
    pub error: Option<&'a str>,
    pub tokens: Option<StepTokens>,
}

/// What a step took of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepTokens {
    pub read: u64,
    pub written: u64,
    /// None: it has no price.
    pub cost: Option<Decimal>,
}

/// Adds a step to a run that goes on. Its tokens and cost are added to the run's, and an error makes the run partial.
pub async fn step(tx: &mut WriteTx, run: RunId, step: &NewStep<'_>) -> Result<(), AppError> {
    let message = cut(step.message, MOST_MESSAGE);
    let error = step.error.map(|error| cut(error, MOST_MESSAGE));
    let kept =
        NewStep { message: &message, error: error.as_deref(), payload: small(step.payload.clone()), ..step.clone() };
    logs::add(tx, run, &kept).await?;
    notify(tx, run);
    Ok(())
}

/// Ends a run. `failure`: it did not come to what it was for, and why. Ending it again changes nothing.
pub async fn finish(tx: &mut WriteTx, run: RunId, failure: Option<&str>) -> Result<(), AppError> {
    let failure = failure.map(|failure| cut(failure, MOST_MESSAGE));
    store::finish(tx, run, failure.as_deref()).await?;
    notify(tx, run);
    Ok(())
}

/// Something failed.
#[derive(Debug, Clone)]
pub struct NewError<'a> {
    pub run: Option<RunId>,
    pub agent: Option<AgentId>,
    pub client: Option<ClientId>,
    pub source: ErrorSource,
    /// A short fixed word: `timeout`.
    pub code: &'a str,
    pub message: &'a str,
    /// What helps to find out why, for people. Without secrets.
    pub metadata: Value,
}

/// Writes down that something failed, in the transaction that knows it. This only adds rows, so that nobody waits for another one's
/// failure; a job counts it afterwards.
pub async fn failed(tx: &mut WriteTx, error: &NewError<'_>) -> Result<(), AppError> {
    let (code, message) = (cut(error.code, MOST_CODE), cut(error.message, MOST_MESSAGE));
    let print = fingerprint(error.source, &code, &message);
    let kept = NewError { code: &code, message: &message, metadata: small(error.metadata.clone()), ..error.clone() };
    errors::insert(tx, &kept, &print).await?;
    enqueue(tx, &CountErrors {}, NewJob::default()).await
}

/// The same for errors of one cause.
fn fingerprint(source: ErrorSource, code: &str, message: &str) -> String {
    let text = format!("{source}\n{code}\n{}", normalised(message));
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn notify(tx: &mut WriteTx, run: RunId) {
    tx.notify(Topic::list("runs"), None);
    tx.notify(Topic::one("run", run), None);
}

/// At most so many characters, without the one that the database does not take.
fn cut(text: &str, most: usize) -> String {
    let mut kept: String = text.chars().filter(|letter| *letter != '\0').take(most).collect();
    if text.chars().nth(most).is_some() {
        kept.push('…');
    }
    kept
}

/// The payload as the database takes it: without zeros, and the beginning of its text if it is too large.
fn small(payload: Value) -> Value {
    let text = payload.to_string();
    if text.len() > MOST_PAYLOAD {
        let mut end = MOST_PAYLOAD;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        return json!({ "bytes": text.len(), "beginning": text[..end].replace("\\u0000", "") });
    }
    // A zero in JSON is always written so, and an escaped backslash before it makes it no zero.
    if text.contains("\\u0000") { plain(payload) } else { payload }
}

fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key.replace('\0', ""), plain(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_models_and_tools_bring_is_made_small_and_storable() {
        assert_eq!(cut("a\0b", 10), "ab");
        assert_eq!(cut(&"ü".repeat(30), 10), format!("{}…", "ü".repeat(10)));
        let dirty = json!({ "a\0": ["x\0y", { "b": "\0" }], "n": 1 });
        assert_eq!(small(dirty), json!({ "a": ["xy", { "b": "" }], "n": 1 }));
        let large = small(json!({ "output": "ü\0".repeat(200_000) }));
        assert!(large["bytes"].as_u64() > Some(200_000) && large.to_string().len() < 2 * MOST_PAYLOAD, "{large}");
        assert!(!large.to_string().contains("\\\\u0000"));
    }
}
