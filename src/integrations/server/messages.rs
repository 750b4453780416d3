//! Messages to Slack and custom systems: written in the transaction that gives events out, sent in their order by one job per integration.
//!
//! The surprising part: a message is taken before it is sent and settled afterwards, so one whose worker died is sent again: at least once,
//! never lost. What is wrong with the system makes everything wait; what is wrong with one message makes that one fail.

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::jobs::SendMessages;
use super::store::messages::{self as rows, NewMessage, Settled, Taken};
use super::store::{self, Integration};
use super::{custom, ops, slack};
use crate::model::{CustomConfig, IntegrationType, SlackConfig, is_told};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, Scope, WriteTx};
use patchbay_connections::model::IntegrationStatus;
use patchbay_jobs::queue::{Unfinished, unfinished};
use patchbay_jobs::runner::Verdict;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{IntegrationId, IntegrationMessageId};
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::Event;

/// The word for trouble of an integration, which is no event that other systems are told.
pub(crate) const TROUBLE: &str = "integration.trouble";
/// Messages that one job sends before it lets others go on.
const AT_ONCE: usize = 20;
/// Waits after failures that may pass, in seconds. After the last one the message has failed.
const WAITS: [f64; 8] = [5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21_600.0, 43_200.0];
const LONGEST_WAIT: f64 = 43_200.0;
/// A system that fails is asked at most so often.
const BREATH: Duration = Duration::from_secs(60);
/// One that is broken is looked at by itself so often: somebody may have put it right there.
const BROKEN: Duration = Duration::from_secs(3600);
/// Days for which messages are kept.
pub(crate) const KEPT_DAYS: i32 = 30;
/// The longest answer that is kept, in characters.
const LONGEST_ANSWER: usize = 4000;

/// What came of sending.
pub(super) enum Outcome {
    Sent {
        body: String,
        status: Option<u16>,
        answer: String,
        /// Details of the event's contact that the answer holds.
        details: Vec<(String, String)>,
    },
    /// This one is refused for good.
    Failed { problem: String, status: Option<u16>, answer: String },
    /// It may go well another time. `asked`: the system said so, so it does not count as a try.
    Later { problem: String, status: Option<u16>, wait: Option<Duration>, asked: bool },
    /// Nothing goes there until somebody puts it right.
    Broken { problem: String, ends_sign_in: bool, status: Option<u16> },
}

/// Writes messages about events for all who want them.
pub async fn events_out(tx: &mut WriteTx, events: &[Event]) -> Result<(), AppError> {
    let listeners = rows::listeners(tx.reading()).await?;
    let mut new: Vec<NewMessage> = Vec::new();
    for listener in &listeners {
        let wanted = wants(listener.kind, &listener.config);
        for event in events.iter().filter(|event| event.kind != EventType::Test) {
            let is_its = listener.client_id.is_none() || listener.client_id == event.client_id;
            if !is_its {
                continue;
            }
            let body: Value = serde_json::from_str(&event.body).map_err(internal)?;
            if is_told(event.kind, &body["data"], &wanted.0, &wanted.1) {
                new.push(NewMessage {
                    integration: listener.id,
                    client_id: event.client_id,
                    event_type: event.kind.as_str().to_owned(),
                    external_id: event.id.to_string(),
                    subject: Some(subject(event.subject)),
                    subject_id: Some(event.subject_id),
                    body: event.body.clone(),
                });
            }
        }
    }
    write(tx, &new).await
}

/// Tells channels that want it of an integration's trouble. `of`: the one that has it.
pub(super) async fn trouble(tx: &mut WriteTx, of: &Integration, problem: &str) -> Result<(), AppError> {
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let data = json!({"integration_id": of.id, "name": of.name, "system": of.kind.label(), "problem": problem});
    let body = json!({"type": TROUBLE, "timestamp": at, "data": data}).to_string();
    let listeners = rows::listeners(tx.reading()).await?;
    let new: Vec<NewMessage> = listeners
        .iter()
        .filter(|one| one.kind == IntegrationType::Slack && one.id != of.id)
        .filter(|one| one.client_id.is_none() || one.client_id == of.client_id)
        .filter(|one| serde_json::from_value::<SlackConfig>(one.config.clone()).is_ok_and(|config| config.troubles))
        .map(|one| NewMessage {
            integration: one.id,
            client_id: of.client_id,
            event_type: TROUBLE.to_owned(),
            external_id: format!("trouble:{}", IntegrationMessageId::new()),
            subject: None,
            subject_id: Some(of.id.0),
            body: body.clone(),
        })
        .collect();
    write(tx, &new).await
}

async fn write(tx: &mut WriteTx, new: &[NewMessage]) -> Result<(), AppError> {
    if new.is_empty() || rows::insert_out(tx, new).await? == 0 {
        return Ok(());
    }
    let mut ids: Vec<IntegrationId> = new.iter().map(|one| one.integration).collect();
    ids.sort_unstable_by_key(|id| id.0);
    ids.dedup();
    for id in ids {
        wake(tx, id).await?;
    }
    Ok(())
}

/// Has what waits for an integration sent. A job that is at work may have looked already, so then another one looks after it.
pub(super) async fn wake(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    let job = SendMessages { integration, after: false };
    let after = unfinished(tx.reading(), &job).await? == Some(Unfinished::Held);
    enqueue(tx, &SendMessages { after, ..job }, NewJob::default()).await
}

fn wants(kind: IntegrationType, config: &Value) -> (Vec<EventType>, Vec<String>) {
    match kind {
        IntegrationType::Slack => {
            let config: SlackConfig = serde_json::from_value(config.clone()).unwrap_or_default();
            if config.has_channel() { (config.events, config.outcomes) } else { Default::default() }
        }
        _ => {
            let config: CustomConfig = serde_json::from_value(config.clone()).unwrap_or_default();
            (config.events, config.outcomes)
        }
    }
}

fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Call => "call",
        Subject::Batch => "batch",
        Subject::Contact => "contact",
        Subject::Client => "client",
        Subject::Test => "test",
    }
}

/// What comes next for an integration.
enum Step {
    Go,
    Wait(Duration),
    Rest,
}

/// Sends what is due, one after the other. Errors: `NotFound` when the integration was removed.
pub(super) async fn send(scope: &Scope, id: IntegrationId) -> Result<Verdict, AppError> {
    for _ in 0..AT_ONCE {
        match step(scope, id).await? {
            Step::Go => {}
            Step::Wait(wait) => return Ok(Verdict::Later(wait.min(BROKEN))),
            Step::Rest => return Ok(Verdict::Done),
        }
    }
    Ok(Verdict::Later(Duration::ZERO))
}

async fn step(scope: &Scope, id: IntegrationId) -> Result<Step, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::get(tx.reading(), id).await?;
    if integration.paused_at.is_some()
        || integration.status == IntegrationStatus::Inactive
        || rows::rests(tx.reading(), integration.client_id).await?
    {
        return Ok(Step::Rest);
    }
    let now = tx.reading().now().await?;
    if let Some(wait) = integration.wait_until.and_then(|until| (until - now).to_std().ok()) {
        return Ok(Step::Wait(wait));
    }
    let taken = next(&mut tx, &integration).await?;
    if taken.is_empty() {
        let seconds = rows::next(tx.reading(), id).await?;
        return Ok(
            seconds.map_or(Step::Rest, |seconds| Step::Wait(Duration::from_secs_f64(seconds.clamp(0.1, 3600.0))))
        );
    }
    tx.commit().await?;
    let outcome = match integration.kind {
        IntegrationType::Slack => slack::deliver(scope, &integration, &taken).await?,
        _ => custom::deliver(scope, &integration, &taken[0]).await?,
    };
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    // Of what was changed meanwhile the newer counts.
    let integration = store::lock(&mut tx, id).await?;
    let step = record(&mut tx, &integration, &taken, outcome).await?;
    tx.notify(ops::topic(id), integration.client_id);
    tx.commit().await?;
    Ok(step)
}

/// Takes what is sent now: one message, or many calls that become one.
async fn next(tx: &mut WriteTx, integration: &Integration) -> Result<Vec<Taken>, AppError> {
    if integration.kind == IntegrationType::Slack {
        let calls: Vec<String> = slack::SUMMED_UP.iter().map(|kind| kind.as_str().to_owned()).collect();
        let due = rows::due(tx.reading(), integration.id, &calls).await?;
        if due.is_some_and(|(first, count)| count > slack::MOST_CALLS && calls.contains(&first)) {
            return rows::take(tx, integration.id, Some(&calls), slack::MOST_IN_DIGEST).await;
        }
    }
    rows::take(tx, integration.id, None, 1).await
}

async fn record(
    tx: &mut WriteTx,
    integration: &Integration,
    taken: &[Taken],
    outcome: Outcome,
) -> Result<Step, AppError> {
    let id = integration.id;
    let code = |status: Option<u16>| status.map(i32::from);
    match outcome {
        Outcome::Sent { body, status, answer, details } => {
            let summed = format!("Told together with {} others.", taken.len().saturating_sub(1));
            for (at, one) in taken.iter().enumerate() {
                let said = if taken.len() > 1 { summed.clone() } else { kept(&answer) };
                let how = Settled {
                    state: "sent",
                    answer_status: code(status),
                    answer: Some(&said),
                    problem: None,
                    body: (at == 0).then_some(body.as_str()),
                };
                rows::settle(tx, one, &how).await?;
            }
            if let Some(one) = taken.first().filter(|_| !details.is_empty()) {
                custom::set_details(tx, integration, one, &details).await?;
            }
            // One that was disconnected or paused meanwhile stays so.
            if integration.status == IntegrationStatus::Error {
                ops::works(tx, id).await?;
            }
            store::set_wait(tx, id, None).await?;
            // A channel takes one message in a second.
            Ok(if integration.kind == IntegrationType::Slack { Step::Wait(slack::PACE) } else { Step::Go })
        }
        Outcome::Failed { problem, status, answer } => {
            let answer = kept(&answer);
            for one in taken {
                let how = Settled {
                    state: "failed",
                    answer_status: code(status),
                    answer: Some(&answer).filter(|answer| !answer.is_empty()).map(String::as_str),
                    problem: Some(&problem),
                    body: None,
                };
                rows::settle(tx, one, &how).await?;
            }
            Ok(if integration.kind == IntegrationType::Slack { Step::Wait(slack::PACE) } else { Step::Go })
        }
        Outcome::Later { problem, status, wait, asked } => {
            let mut pause = wait;
            for one in taken {
                let seconds = usize::try_from(one.tries - 1).ok().and_then(|at| WAITS.get(at));
                match (asked, seconds) {
                    (true, _) => rows::put_back(tx, one, 0.0, false, Some(&problem), code(status)).await?,
                    (false, Some(seconds)) => {
                        // Whatever it asks for, it is asked again within half a day.
                        let own = wait.map_or(*seconds, |wait| wait.as_secs_f64().max(*seconds).min(LONGEST_WAIT));
                        rows::put_back(tx, one, own, true, Some(&problem), code(status)).await?;
                        pause.get_or_insert(Duration::from_secs_f64(*seconds).min(BREATH));
                    }
                    (false, None) => {
                        let problem = format!("{problem} It was tried {} times.", one.tries);
                        let how = Settled {
                            state: "failed",
                            answer_status: code(status),
                            answer: None,
                            problem: Some(&problem),
                            body: None,
                        };
                        rows::settle(tx, one, &how).await?;
                    }
                }
            }
            wait_for(tx, integration, pause).await
        }
        Outcome::Broken { problem, ends_sign_in, status } => {
            for one in taken {
                rows::put_back(tx, one, 0.0, false, Some(&problem), code(status)).await?;
            }
            if integration.status == IntegrationStatus::Inactive || integration.paused_at.is_some() {
                return Ok(Step::Rest);
            }
            ops::broken(tx, id, &problem, ends_sign_in).await?;
            wait_for(tx, integration, Some(BROKEN)).await
        }
    }
}

async fn wait_for(tx: &mut WriteTx, integration: &Integration, pause: Option<Duration>) -> Result<Step, AppError> {
    let Some(pause) = pause.map(|pause| pause.min(BROKEN)) else { return Ok(Step::Go) };
    let until = tx.reading().now().await? + TimeDelta::from_std(pause).map_err(internal)?;
    store::set_wait(tx, integration.id, Some(until)).await?;
    Ok(Step::Wait(pause))
}

fn kept(answer: &str) -> String {
    answer.chars().filter(|letter| *letter != '\0').take(LONGEST_ANSWER).collect()
}

/// Sends a message that failed again. Errors: `NotFound`. One that did not fail stays as it is.
pub async fn retry(scope: &Scope, id: IntegrationId, message: IntegrationMessageId) -> Result<(), AppError> {
    again(scope, id, Some(message)).await.map(|_| ())
}

/// The same for all of an integration. Gives how many.
pub async fn retry_all(scope: &Scope, id: IntegrationId) -> Result<i64, AppError> {
    again(scope, id, None).await
}

async fn again(scope: &Scope, id: IntegrationId, one: Option<IntegrationMessageId>) -> Result<i64, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = told(&mut tx, id).await?;
    let count = rows::again(&mut tx, id, one).await?;
    if count > 0 {
        let facts = json!({"name": integration.name, "messages": count, "message": one});
        ops::record(&mut tx, "sent messages of", id, integration.client_id, Fields::Happened(facts)).await?;
        wake(&mut tx, id).await?;
        tx.notify(ops::topic(id), integration.client_id);
        tx.commit().await?;
    }
    i64::try_from(count).map_err(internal)
}

/// Nothing is waited for any more: it was set up anew, or somebody says so.
pub(super) async fn hurry(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    store::set_wait(tx, id, None).await?;
    rows::hurry(tx, id).await?;
    wake(tx, id).await
}

/// One that is told messages, held. Errors: `NotFound`.
pub(super) async fn told(tx: &mut WriteTx, id: IntegrationId) -> Result<Integration, AppError> {
    let integration = store::lock(tx, id).await?;
    match integration.kind {
        IntegrationType::Slack | IntegrationType::CustomApi => Ok(integration),
        _ => Err(AppError::NotFound),
    }
}

/// The same to look at.
pub(super) async fn one(tx: &mut ReadTx, id: IntegrationId, kind: IntegrationType) -> Result<Integration, AppError> {
    let integration = store::get(tx, id).await?;
    if integration.kind == kind { Ok(integration) } else { Err(AppError::NotFound) }
}

/// Has everything sent whose job was lost, and forgets what is old. By the clock.
pub(super) async fn sweep(tx: &mut WriteTx) -> Result<(), AppError> {
    for id in rows::waiting(tx.reading()).await? {
        wake(tx, id).await?;
    }
    rows::prune(tx, KEPT_DAYS).await
}
