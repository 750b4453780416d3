//! What a crash or a lost answer left open. The provider is asked whether it has a call with our id; only when it surely has not may
//! the call be placed again. Calls of which nothing was heard for long are asked about too: an event may have been lost.

use std::sync::Arc;

use super::dial;
use super::store::{self, Batch};
use super::tick;
use crate::access::Action;
use crate::access::server::Scope;
use crate::batches::model::BatchStatus;
use crate::calls::server::dialled::{self, Intent, Unsettled};
use crate::calls::server::fold::{self, CALL_KEY, News};
use crate::connections::server::ops as connections;
use crate::providers::voice::VoiceCall;
use crate::providers::{Kind, ProviderError, VoiceProvider};
use crate::shared::AppError;
use crate::shared::ids::{BatchId, CallId};

/// Seconds after which an unanswered question counts as lost: longer than an intent is fresh plus the request's own time limit, so
/// that nobody can still be sending it.
const AGE: f64 = 20.0;
/// Seconds without news after which a placed call is asked about.
const SILENCE: f64 = 120.0;

/// Settles what it can. True while something is still open, so that the next tick comes soon.
pub async fn reconcile(scope: &Scope, id: BatchId) -> Result<bool, AppError> {
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    let batch = store::get(&mut tx, id).await?;
    let open = dialled::unsettled(&mut tx, id, AGE).await?;
    let silent = dialled::silent(&mut tx, id, SILENCE).await?;
    let young = dialled::unsettled(&mut tx, id, 0.0).await?.len() > open.len();
    drop(tx);
    if open.is_empty() && silent.is_empty() {
        return Ok(young);
    }
    let Ok(voice) = connections::voice(scope).await else { return Ok(true) };
    for call in &open {
        if let Err(error) = settle(scope, &batch, &voice, call).await {
            tracing::warn!(call_id = %call.id, cause = %error, "a call's fate is still unknown; asking again later");
        }
    }
    for (call, provider_id) in silent {
        refresh(scope, &voice, call, &provider_id).await?;
    }
    Ok(true)
}

/// Asks the provider for a call that carries our id, and acts on the answer.
async fn settle(scope: &Scope, batch: &Batch, voice: &Arc<dyn VoiceProvider>, call: &Unsettled) -> Result<(), AppError> {
    let found = voice.find_calls_by_metadata(CALL_KEY, &call.id.to_string()).await.map_err(|error| connections::down(&error))?;
    if let Some(theirs) = found.into_iter().next() {
        return take_news(scope, &theirs).await;
    }
    let mut tx = scope.write(Action::RunBatches).await?;
    let now = store::lock(&mut tx, batch.id).await?;
    if now.status.is_over() || now.status == BatchStatus::Paused {
        // The provider has no such call and none may be placed now: the contact waits again, the attempt is not counted.
        drop(tx);
        return dial::take_back(scope, &intent_of(&now, call), std::time::Duration::ZERO).await;
    }
    if !dialled::claim_redial(&mut tx, call).await? {
        return Ok(());
    }
    let campaign = crate::campaigns::server::store::get(tx.reading(), now.campaign_id).await?;
    let agent = crate::agents::server::ops::ready_to_call(tx.reading(), campaign.agent_id, campaign.client_id).await?;
    let contact = store::contact(tx.reading(), call.campaign_contact_id).await?;
    tx.commit().await?;
    let intent = Intent {
        agent_id: campaign.agent_id,
        campaign_id: campaign.id,
        contact_id: contact.contact_id,
        contact_name: contact.name.clone(),
        prompt_version: agent.prompt_version,
        ..intent_of(&now, call)
    };
    let request = dial::new_call(&intent, tick::variables(&contact, &campaign), &campaign, &agent);
    dial::dial_again(scope, &now, voice, &intent, &request).await
}

fn intent_of(batch: &Batch, call: &Unsettled) -> Intent {
    Intent {
        id: call.id,
        client_id: call.client_id,
        // Only the ids of call, contact and batch matter for taking an intent back; a redial fills in the rest.
        agent_id: crate::shared::ids::AgentId(uuid::Uuid::nil()),
        campaign_id: batch.campaign_id,
        campaign_contact_id: call.campaign_contact_id,
        contact_id: crate::shared::ids::ContactId(uuid::Uuid::nil()),
        batch_id: batch.id,
        attempt_no: call.attempt_no,
        from: call.from.clone(),
        to: call.to.clone(),
        contact_name: String::new(),
        prompt_version: 0,
    }
}

/// Asks about a call that went silent.
async fn refresh(scope: &Scope, voice: &Arc<dyn VoiceProvider>, id: CallId, provider_id: &str) -> Result<(), AppError> {
    match voice.get_call(provider_id).await {
        Ok(theirs) => {
            take_news(scope, &theirs).await?;
            let mut tx = scope.write(Action::RunBatches).await?;
            dialled::touch(&mut tx, id).await?;
            tx.commit().await
        }
        Err(ProviderError { kind: Kind::NotFound, .. }) => {
            // The provider has deleted it: it will never say that it ended.
            let now = chrono::Utc::now();
            let mut gone = VoiceCall::ended_unheard(provider_id, now);
            gone.metadata.insert(CALL_KEY.to_owned(), id.to_string());
            take_news(scope, &gone).await
        }
        Err(error) => {
            tracing::warn!(call_id = %id, cause = %error, "a silent call could not be asked about");
            Ok(())
        }
    }
}

/// Folds what the provider says now. Its state is the event's name, so that the same answer twice is no news.
async fn take_news(scope: &Scope, call: &VoiceCall) -> Result<(), AppError> {
    let prices = connections::settings(scope).await?;
    let state = match (call.ended, call.joined) {
        (Some(_), _) if call.is_billing_settled => "billed",
        (Some(_), _) => "ended",
        (None, Some(_)) => "joined",
        (None, None) => "created",
    };
    let event_type = format!("asked.{state}");
    let news = News {
        call,
        event_id: &event_type,
        event_type: &event_type,
        occurred_at: call.ended.or(call.joined).unwrap_or(call.created),
        payload: serde_json::json!({ "asked": true, "state": state }),
        price_per_minute: prices.voice_price_per_minute,
    };
    let mut tx = scope.write(Action::RunBatches).await?;
    fold::apply(&mut tx, &news).await?;
    tx.commit().await
}
