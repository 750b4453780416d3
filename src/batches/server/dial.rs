//! Asking the provider to place calls. No transaction is open while it answers; what it said is recorded after.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::halt_reason::HaltReason;
use super::ops;
use super::store::{self, Batch};
use crate::model::BatchStatus;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_agents::server::ops::CallableAgent;
use patchbay_agents::server::tool_token;
use patchbay_calls::server::dialled::{self, Intent};
use patchbay_calls::server::earlier;
use patchbay_calls::server::fold::CALL_KEY;
use patchbay_campaigns::Campaign;
use patchbay_connections::server::{ops as connections, trunks};
use patchbay_dialling::server::settle::notify;
use patchbay_dialling::server::{call_backs, contacts};
use patchbay_providers::voice::{NewVoiceCall, VoiceCall};
use patchbay_providers::{Kind, ProviderError, VoiceProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// An intent older than this is not sent: whoever reconciles may already be asking about it. With the request's own time limit it stays
/// below `reconcile::AGE`, where the compiler adds up.
pub(super) const FRESH: Duration = Duration::from_secs(8);

/// Intents that were committed together, and what it takes to ask for them.
pub(crate) struct Round {
    pub scope: Scope,
    pub batch: Batch,
    pub campaign: Campaign,
    pub agent: CallableAgent,
    pub voice: Arc<dyn VoiceProvider>,
    pub intents: Vec<(Intent, serde_json::Value)>,
    /// From before the intents were written.
    pub began: Instant,
}

/// What one request came to.
enum Answer {
    Placed(Box<VoiceCall>),
    Failed(ProviderError),
    /// Not sent: too much time has passed since the intent was written.
    Stale,
}

/// Places all intents at once and records each answer as it comes. An answer that cannot be recorded is found again by `reconcile`.
pub(crate) async fn dial_all(round: Round) {
    let Round { scope, batch, campaign, agent, voice, intents, began } = round;
    let mut requests = JoinSet::new();
    let ids: Vec<CallId> = intents.iter().map(|(intent, _)| intent.id).collect();
    let mut told = earlier_calls(&scope, &campaign, &agent, &ids).await;
    for (intent, mut variables) in intents {
        earlier::put(&mut variables, told.remove(&intent.id));
        let request = new_call(&scope, &intent, variables, &campaign, &agent);
        let (scope, batch, voice) = (scope.clone(), batch.clone(), voice.clone());
        requests.spawn(async move { dial(&scope, &batch, &voice, &intent, &request, began).await });
    }
    while let Some(done) = requests.join_next().await {
        if let Err(broken) = done {
            tracing::error!(batch = %batch.id, cause = %broken, "placing a call broke");
        }
    }
}

/// Asks the provider for one call and records the answer. `began`: from before the intent's time.
pub(crate) async fn dial(
    scope: &Scope,
    batch: &Batch,
    voice: &Arc<dyn VoiceProvider>,
    intent: &Intent,
    request: &NewVoiceCall,
    began: Instant,
) {
    let answer = if began.elapsed() > FRESH {
        Answer::Stale
    } else {
        match voice.create_call(request).await {
            Ok(call) => Answer::Placed(Box::new(call)),
            Err(error) => Answer::Failed(error),
        }
    };
    if let Err(error) = record(scope, batch, intent, answer).await {
        tracing::warn!(call_id = %intent.id, cause = %error, "how a call was placed could not be recorded; the provider will be asked");
    }
}

/// What the agent is told of earlier calls with those whom it calls. Nobody goes without a call because of it.
pub(crate) async fn earlier_calls(
    scope: &Scope,
    campaign: &Campaign,
    agent: &CallableAgent,
    calls: &[CallId],
) -> HashMap<CallId, String> {
    let found = async {
        let mut tx = scope.read(Action::RunBatches).await?;
        earlier::on_calls(&mut tx, campaign.client_id, calls, agent.memory()).await
    };
    found.await.unwrap_or_else(|error: AppError| {
        tracing::warn!(cause = %error, "an agent is told nothing of earlier calls: they could not be read");
        HashMap::new()
    })
}

/// The request that places a call. Our id in the metadata is what makes it findable.
pub(crate) fn new_call(
    scope: &Scope,
    intent: &Intent,
    variables: serde_json::Value,
    campaign: &Campaign,
    agent: &CallableAgent,
) -> NewVoiceCall {
    let metadata = [
        (CALL_KEY.to_owned(), intent.id.to_string()),
        ("patchbay_batch".to_owned(), intent.batch_id.to_string()),
        ("campaign_type".to_owned(), campaign.kind.as_str().to_owned()),
    ];
    let numbers = (intent.to.clone(), intent.from.clone());
    let account = campaign.from_account.as_ref();
    let (line, leg_news_url) = trunks::line(scope, intent.id, numbers, account, agent.leg_news_url.clone());
    NewVoiceCall {
        agent_id: agent.provider_agent_id.clone(),
        line,
        variables,
        metadata: metadata.into_iter().collect(),
        first_speaker: None,
        recording_enabled: None,
        max_duration: None,
        join_timeout: None,
        // Without it the call is made all the same, and its agent's tools refuse.
        tool_token: tool_token(scope.services(), scope.workspace_id(), intent.id).ok(),
        leg_news_url,
    }
}

/// Records one answer. Whoever was overtaken by a later question about the same intent changes nothing.
async fn record(scope: &Scope, batch: &Batch, intent: &Intent, answer: Answer) -> Result<(), AppError> {
    let workspace = scope.workspace_id().0;
    let report = |outcome: Result<(), ProviderError>| {
        scope.services().breakers.report(workspace, "ultravox", &outcome, Instant::now());
    };
    let error = match answer {
        Answer::Placed(call) => {
            report(Ok(()));
            let mut tx = scope.write(Action::RunBatches).await?;
            dialled::mark_placed(&mut tx, intent.id, &call.id).await?;
            notify(&mut tx, batch.id, batch.client_id);
            tx.commit().await?;
            metrics::counter!("patchbay_dials_total", "result" => "placed").increment(1);
            return connections::mark_working(scope, "ultravox").await;
        }
        // Somebody may be asking about it already, and will settle it.
        Answer::Stale => return Ok(()),
        Answer::Failed(error) => error,
    };
    metrics::counter!("patchbay_dials_total", "result" => error.kind.code()).increment(1);
    report(Err(error.clone()));
    if error.outcome_unknown() {
        let mut tx = scope.write(Action::RunBatches).await?;
        dialled::mark_unknown(&mut tx, intent.id, intent.dialled_at, &error.sentence()).await?;
        tx.commit().await?;
        return trouble(scope, batch, &error).await;
    }
    match error.kind {
        Kind::Credentials => {
            take_back(scope, intent, Duration::ZERO).await?;
            connections::mark_failing(scope, "ultravox", &error.sentence()).await?;
            halt(scope, batch, &HaltReason::KeyRejected(error.sentence())).await
        }
        Kind::RateLimited => {
            let wait = error.retry_after.unwrap_or(Duration::from_secs(5));
            // Before the contact is free again: nobody in the workspace dials until then, in whatever process.
            let mut tx = scope.write(Action::RunBatches).await?;
            patchbay_workspaces::server::hold(&mut tx, wait).await?;
            tx.commit().await?;
            take_back(scope, intent, wait).await
        }
        Kind::Timeout | Kind::Network | Kind::Unavailable | Kind::Garbage => {
            // The request never left this machine, or surely had no effect.
            take_back(scope, intent, Duration::from_secs(5)).await?;
            trouble(scope, batch, &error).await
        }
        // No credit, or an agent that is gone: every contact would fare the same.
        Kind::NotFound => stop_dialling(scope, batch, intent, &error).await,
        Kind::Rejected if error.status == Some(402) => stop_dialling(scope, batch, intent, &error).await,
        Kind::Rejected => refuse(scope, batch, intent, &error).await,
    }
}

/// The provider said no to this one call: its contact fails. Five refusals in a row are no matter of contacts.
async fn refuse(scope: &Scope, batch: &Batch, intent: &Intent, error: &ProviderError) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = store::lock(&mut tx, batch.id).await?;
    if dialled::mark_refused(&mut tx, intent.id, intent.dialled_at, &error.sentence()).await? {
        contacts::set_failed(&mut tx, intent.campaign_contact_id, &error.sentence()).await?;
    }
    if may_still_dial(&now) && dialled::only_refusals(tx.reading(), batch.id).await? {
        ops::halt(&mut tx, &now, &HaltReason::RefusedInARow(error.sentence())).await?;
    }
    notify(&mut tx, batch.id, batch.client_id);
    tx.commit().await
}

async fn stop_dialling(scope: &Scope, batch: &Batch, intent: &Intent, error: &ProviderError) -> Result<(), AppError> {
    take_back(scope, intent, Duration::ZERO).await?;
    halt(scope, batch, &HaltReason::RefusedForAll(error.sentence())).await
}

/// Five failures in a row, counted by the breaker: going on would only burn contacts, so a person has to look.
async fn trouble(scope: &Scope, batch: &Batch, error: &ProviderError) -> Result<(), AppError> {
    let closed = scope.services().breakers.closed(scope.workspace_id().0);
    if !closed.contains(&"ultravox") {
        return Ok(());
    }
    connections::mark_failing(scope, "ultravox", &error.sentence()).await?;
    halt(scope, batch, &HaltReason::NotPlacedInARow(error.sentence())).await
}

async fn halt(scope: &Scope, batch: &Batch, reason: &HaltReason) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = store::lock(&mut tx, batch.id).await?;
    if may_still_dial(&now) || (reason.fails() && !now.status.is_over()) {
        ops::halt(&mut tx, &now, reason).await?;
    }
    tx.commit().await
}

fn may_still_dial(batch: &Batch) -> bool {
    !batch.status.is_over() && batch.status != BatchStatus::Paused
}

/// The provider surely never acted on this intent: the contact waits again, and the attempt is not counted.
pub(crate) async fn take_back(scope: &Scope, intent: &Intent, wait: Duration) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, intent.batch_id).await?;
    if dialled::withdraw(&mut tx, intent.id, intent.dialled_at).await? {
        contacts::take_back(&mut tx, intent.campaign_contact_id, wait).await?;
        if batch.status.is_over() {
            contacts::give_back(&mut tx, batch.id).await?;
            call_backs::follow(&mut tx, batch.id).await?;
        }
        notify(&mut tx, batch.id, batch.client_id);
    }
    tx.commit().await
}
