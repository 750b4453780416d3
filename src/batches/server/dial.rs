//! Asking the provider to place calls. No transaction is open while it answers; what it said is recorded after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::task::JoinSet;

use super::ops;
use super::store::{self, Batch};
use crate::access::Action;
use crate::access::server::Scope;
use crate::agents::server::ops::CallableAgent;
use crate::calls::server::dialled::{self, Intent};
use crate::calls::server::fold::CALL_KEY;
use crate::campaigns::Campaign;
use crate::connections::server::ops as connections;
use crate::providers::voice::{Line, NewVoiceCall, VoiceCall};
use crate::providers::{Kind, Pass, ProviderError, VoiceProvider};
use crate::shared::AppError;

/// An intent older than this is not sent: whoever reconciles may already be asking about it. Well below `reconcile::AGE`, with the
/// request's own time limit between them.
const FRESH: Duration = Duration::from_secs(8);

/// How a round of dialling ended.
pub enum Dialled {
    GoOn,
    /// The provider asked to be left alone this long, or does not answer.
    Hold(Duration),
    /// The batch was paused or failed.
    Over,
}

/// What one request came to.
enum Answer {
    Placed(VoiceCall),
    Failed(ProviderError),
    /// Not sent: too much time has passed since the intent was written.
    Stale,
}

/// Places all intents at once and records each answer as it comes.
pub async fn dial_all(
    scope: &Scope,
    batch: &Batch,
    campaign: &Campaign,
    agent: &CallableAgent,
    intents: Vec<(Intent, serde_json::Value)>,
) -> Result<Dialled, AppError> {
    let claimed = Instant::now();
    let workspace = scope.workspace_id().0;
    let pass = connections::with_breakers(|breakers| breakers.ask(workspace, "ultravox", Instant::now()))?;
    if let Pass::Wait(wait) = pass {
        for (intent, _) in intents {
            take_back(scope, &intent, wait).await?;
        }
        return Ok(Dialled::Hold(wait));
    }
    let voice = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(error) => {
            for (intent, _) in &intents {
                take_back(scope, intent, Duration::ZERO).await?;
            }
            return end_batch(scope, batch, &error.to_string()).await;
        }
    };
    let mut requests = JoinSet::new();
    for (intent, variables) in intents {
        let request = new_call(&intent, variables, campaign, agent);
        let voice = voice.clone();
        requests.spawn(async move {
            if claimed.elapsed() > FRESH {
                return (intent, Answer::Stale);
            }
            match voice.create_call(&request).await {
                Ok(call) => (intent, Answer::Placed(call)),
                Err(error) => (intent, Answer::Failed(error)),
            }
        });
    }
    let mut end = Dialled::GoOn;
    while let Some(done) = requests.join_next().await {
        let (intent, answer) = done.map_err(crate::shared::error::internal)?;
        if let Some(worse) = record(scope, batch, &intent, answer).await? {
            end = worse;
        }
    }
    Ok(end)
}

/// Asks again for a call that the provider surely does not have.
pub async fn dial_again(
    scope: &Scope,
    batch: &Batch,
    voice: &Arc<dyn VoiceProvider>,
    intent: &Intent,
    request: &NewVoiceCall,
) -> Result<(), AppError> {
    let answer = match voice.create_call(request).await {
        Ok(call) => Answer::Placed(call),
        Err(error) => Answer::Failed(error),
    };
    record(scope, batch, intent, answer).await.map(|_| ())
}

/// The request that places a call. Our id in the metadata is what makes it findable.
pub fn new_call(intent: &Intent, variables: serde_json::Value, campaign: &Campaign, agent: &CallableAgent) -> NewVoiceCall {
    let metadata = [
        (CALL_KEY.to_owned(), intent.id.to_string()),
        ("patchbay_batch".to_owned(), intent.batch_id.to_string()),
        ("campaign_type".to_owned(), campaign.kind.as_str().to_owned()),
    ];
    NewVoiceCall {
        agent_id: agent.provider_agent_id.clone(),
        line: Line::Phone { to: intent.to.clone(), from: intent.from.clone() },
        variables,
        metadata: metadata.into_iter().collect(),
        first_speaker: None,
        recording_enabled: None,
        max_duration: None,
        join_timeout: None,
    }
}

/// Records one answer. Gives how the round ends if this answer changes that.
async fn record(scope: &Scope, batch: &Batch, intent: &Intent, answer: Answer) -> Result<Option<Dialled>, AppError> {
    let workspace = scope.workspace_id().0;
    let error = match answer {
        Answer::Placed(call) => {
            connections::with_breakers(|breakers| breakers.report(workspace, "ultravox", &Ok::<_, ProviderError>(()), Instant::now()))?;
            let mut tx = scope.write(Action::RunBatches).await?;
            dialled::mark_placed(&mut tx, intent.id, &call.id).await?;
            ops::notify(&mut tx, batch.id, batch.client_id);
            tx.commit().await?;
            metrics::counter!("patchbay_dials_total", "result" => "placed").increment(1);
            return Ok(None);
        }
        Answer::Stale => {
            take_back(scope, intent, Duration::ZERO).await?;
            return Ok(None);
        }
        Answer::Failed(error) => error,
    };
    connections::with_breakers(|breakers| breakers.report(workspace, "ultravox", &Err::<(), _>(error.clone()), Instant::now()))?;
    metrics::counter!("patchbay_dials_total", "result" => error.kind.code()).increment(1);
    if error.outcome_unknown() {
        let mut tx = scope.write(Action::RunBatches).await?;
        dialled::mark_unknown(&mut tx, intent.id, &error.sentence()).await?;
        tx.commit().await?;
        return trouble(scope, batch, &error).await;
    }
    match error.kind {
        Kind::Credentials => {
            take_back(scope, intent, Duration::ZERO).await?;
            connections::mark_failing(scope, "ultravox", &error.sentence()).await?;
            end_batch(scope, batch, &error.sentence()).await.map(Some)
        }
        Kind::RateLimited => {
            let wait = error.retry_after.unwrap_or(Duration::from_secs(5));
            take_back(scope, intent, wait).await?;
            Ok(Some(Dialled::Hold(wait)))
        }
        Kind::Timeout | Kind::Network | Kind::Unavailable | Kind::Garbage => {
            // The request never left this machine, or surely had no effect.
            take_back(scope, intent, Duration::from_secs(5)).await?;
            trouble(scope, batch, &error).await
        }
        Kind::NotFound | Kind::Rejected => {
            let mut tx = scope.write(Action::RunBatches).await?;
            if dialled::mark_refused(&mut tx, intent.id, &error.sentence()).await? {
                store::set_failed(&mut tx, intent.campaign_contact_id, &error.sentence()).await?;
            }
            ops::notify(&mut tx, batch.id, batch.client_id);
            tx.commit().await?;
            Ok(None)
        }
    }
}

/// Five failures in a row, counted by the breaker: going on would only burn contacts, so a person has to look.
async fn trouble(scope: &Scope, batch: &Batch, error: &ProviderError) -> Result<Option<Dialled>, AppError> {
    let closed = connections::with_breakers(|breakers| breakers.closed(scope.workspace_id().0))?;
    if !closed.contains(&"ultravox") {
        return Ok(Some(Dialled::Hold(Duration::from_secs(1))));
    }
    connections::mark_failing(scope, "ultravox", &error.sentence()).await?;
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = store::lock(&mut tx, batch.id).await?;
    if !now.status.is_over() && now.status != crate::batches::model::BatchStatus::Paused {
        let reason = format!("Five calls in a row could not be placed. {} Resume when it works again: nothing was lost.", error.sentence());
        ops::pause_with_reason(&mut tx, &now, &reason).await?;
    }
    tx.commit().await?;
    Ok(Some(Dialled::Over))
}

async fn end_batch(scope: &Scope, batch: &Batch, reason: &str) -> Result<Dialled, AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = store::lock(&mut tx, batch.id).await?;
    if !now.status.is_over() {
        ops::fail(&mut tx, &now, reason).await?;
    }
    tx.commit().await?;
    Ok(Dialled::Over)
}

/// The provider surely never acted on this intent: the contact waits again, and the attempt is not counted.
pub async fn take_back(scope: &Scope, intent: &Intent, wait: Duration) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    if dialled::withdraw(&mut tx, intent.id).await? {
        let until = Utc::now() + chrono::Duration::from_std(wait).unwrap_or_default();
        store::take_back(&mut tx, intent.campaign_contact_id, until).await?;
        let batch = store::get(tx.reading(), intent.batch_id).await?;
        if batch.status.is_over() {
            store::give_back(&mut tx, intent.batch_id).await?;
        }
    }
    tx.commit().await
}
