//! Asking after calls of which the events stay away: a webhook can be lost on its way. Calls of a batch are looked after by the batch
//! while they go on; this looks after the others, and after every bill.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::fold::{self, CALL_KEY, CallUpdate, Words};
use crate::model::CallSource;
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob, Registry};
use patchbay_providers::voice::{Bill, CallDirection, VoiceCall};
use patchbay_providers::{Kind, ProviderError, VoiceProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// Asks after one call until it has ended and its bill is settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FollowCall {
    pub call: CallId,
}

impl Job for FollowCall {
    const KIND: &'static str = "follow_call";
    const ACTIONS: &'static [Action] = &[Action::ReadCalls, Action::UseConnections, Action::RunBatches];
    // It asks how calls went that were placed before.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.call.to_string())
    }
}

/// While a call goes on it is asked after this often, and for its bill less often.
const LIVE: Duration = Duration::from_secs(120);
const UNBILLED: Duration = Duration::from_secs(1800);
/// Calls that are ended side by side.
const HANG_UPS: usize = 8;
/// Hours after which a bill that never came is given up.
const PATIENCE: i64 = 24;

pub fn register(registry: &mut Registry) {
    registry.add::<FollowCall, _, _>(|scope, job| async move { run(&scope, job.call).await });
}

/// Has the calls asked after, each not before so many minutes from now.
pub(crate) async fn enqueue_all(tx: &mut WriteTx, calls: &[(CallId, i64)]) -> Result<(), AppError> {
    if calls.is_empty() {
        return Ok(());
    }
    let now = tx.reading().now().await?;
    let jobs: Vec<(FollowCall, NewJob)> = calls
        .iter()
        .map(|(call, minutes)| {
            (FollowCall { call: *call }, NewJob { run_at: Some(now + chrono::Duration::minutes(*minutes)) })
        })
        .collect();
    patchbay_jobs::enqueue_all(tx, jobs.iter().map(|(job, when)| (job, *when))).await
}

/// The bills are settled: nobody needs to ask any more.
pub(crate) async fn no_longer(tx: &mut WriteTx, calls: &[CallId]) -> Result<(), AppError> {
    if calls.is_empty() {
        return Ok(());
    }
    let jobs: Vec<FollowCall> = calls.iter().map(|call| FollowCall { call: *call }).collect();
    patchbay_jobs::queue::withdraw_all(tx, &jobs).await
}

struct State {
    provider_call_id: Option<String>,
    joined_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    is_billed: bool,
    in_batch: bool,
    is_old: bool,
}

async fn run(scope: &Scope, call: CallId) -> Result<Verdict, Failure> {
    let Some(state) = state(scope, call).await? else { return Ok(Verdict::Done) };
    let wait = if state.ended_at.is_some() { UNBILLED } else { LIVE };
    if state.is_billed || state.is_old || (state.ended_at.is_none() && state.in_batch) {
        return Ok(Verdict::Done);
    }
    let Some(provider_id) = state.provider_call_id else { return Ok(Verdict::Done) };
    let asked = match connections::voice_to_look(scope).await {
        Ok(voice) => ask(scope, &voice, call, &provider_id).await,
        Err(error) => Err(error),
    };
    if let Err(error) = asked {
        tracing::info!(call_id = %call, cause = %error, "a call could not be asked after; asking again later");
    }
    Ok(Verdict::Later(wait))
}

async fn state(scope: &Scope, call: CallId) -> Result<Option<State>, AppError> {
    let mut tx = scope.read(Action::ReadCalls).await?;
    Ok(sqlx::query_as!(
        State,
        r#"select provider_call_id, joined_at, ended_at, ended_at is not null and billed_seconds is not null as "is_billed!",
                  batch_id is not null as "in_batch!",
                  coalesce(ended_at, created_at) < now() - make_interval(hours => $3) as "is_old!"
           from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        call.0,
        PATIENCE as i32
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Asks the provider how a call is now and folds the answer. A call that the provider does not know any more is over.
pub async fn ask(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    call: CallId,
    provider_id: &str,
) -> Result<(), AppError> {
    match voice.get_call(provider_id).await {
        Ok(theirs) => {
            end_if_suspended(scope, &[&theirs]).await?;
            apply_update(scope, &theirs).await?;
        }
        Err(ProviderError { kind: Kind::NotFound, .. }) => {
            let known = state(scope, call).await?.filter(|known| known.ended_at.is_none());
            if let Some(known) = known {
                let mut gone = VoiceCall::ended_unheard(provider_id, Utc::now());
                gone.metadata.insert(CALL_KEY.to_owned(), call.to_string());
                gone.joined = known.joined_at;
                apply_update(scope, &gone).await?;
            }
        }
        Err(error) => return Err(connections::down(&error)),
    }
    let mut tx = scope.write(Action::RunBatches).await?;
    super::dialled::touch(&mut tx, call).await?;
    tx.commit().await
}

/// Somebody has called in while the workspace is suspended: the voice service answers by itself, so it is asked to end the call. What
/// was placed before the suspension ends by itself. If the service does not hear us now, it is asked again with the next news of the call.
pub async fn end_if_suspended(scope: &Scope, calls: &[&VoiceCall]) -> Result<(), AppError> {
    let answered = calls.iter().filter(|call| call.direction == CallDirection::Inbound && call.ended.is_none());
    let answered: Vec<String> = answered.map(|call| call.id.clone()).collect();
    if answered.is_empty() {
        return Ok(());
    }
    let Ok(Some(voice)) = connections::voice_while_suspended(scope).await else { return Ok(()) };
    for some in answered.chunks(HANG_UPS) {
        futures::future::join_all(some.iter().map(|call| hang_up(voice.as_ref(), call))).await;
    }
    Ok(())
}

async fn hang_up(voice: &dyn VoiceProvider, call: &str) {
    if let Err(error) = voice.hang_up(call, None).await {
        tracing::warn!(call, cause = %error, "a call to a suspended workspace could not be ended");
    }
}

/// Folds what the provider says now. Its state is the event's name, so that the same answer twice is no news, and another bill is.
pub async fn apply_update(scope: &Scope, call: &VoiceCall) -> Result<(), AppError> {
    let prices = connections::settings(scope).await?;
    let state = match (call.ended, call.joined) {
        (Some(_), _) if call.bill == Bill::Refunded => "refunded",
        (Some(_), _) if call.charged_seconds().is_some() => "billed",
        (Some(_), _) => "ended",
        (None, Some(_)) => "joined",
        (None, None) => "created",
    };
    let event_type = format!("asked.{state}");
    let event_id = match call.charged_seconds() {
        Some(seconds) if state == "billed" => format!("{event_type}.{}", seconds.ceil()),
        _ => event_type.clone(),
    };
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = tx.reading().now().await?;
    let news = CallUpdate {
        call,
        event_id: &event_id,
        event_type: &event_type,
        occurred_at: call.ended.or(call.joined).or(call.created).unwrap_or(now),
        told_at: now,
        payload: serde_json::json!({ "asked": true, "state": state }),
        price_per_minute: prices.voice_price_per_minute,
        source: CallSource::Webhook,
        words: Words::Now,
    };
    fold::apply(&mut tx, &news).await?;
    tx.commit().await
}
