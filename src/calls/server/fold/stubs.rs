//! Calls that Patchbay did not place: somebody called in, or they were placed elsewhere. Their agents say whose they are, and their
//! numbers with whom.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::facts::{CallState, stored};
use super::{Call, CallUpdate};
use crate::model::{AnalysisStatus, CallDirection, TranscriptStatus};
use crate::server::store::folded::{self as store, Mapping, Origin, Recognised};
use patchbay_access::server::WriteTx;
use patchbay_agents::server::own_words;
use patchbay_prompts::server::{self as prompts, Told};
use patchbay_providers::voice::{self, VoiceCall};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

/// A call as the first news of it tells it, without what its agent says about it.
pub(super) fn begin(news: &CallUpdate<'_>) -> Call {
    let call = news.call;
    let direction = match call.direction {
        voice::CallDirection::Outbound => Some(CallDirection::Outbound),
        voice::CallDirection::Inbound => Some(CallDirection::Inbound),
        // No telephone: its agent says which way its calls go.
        voice::CallDirection::Web => None,
    };
    let state = CallState {
        id: CallId::new(),
        client_id: None,
        agent_id: None,
        batch_id: None,
        campaign_contact_id: None,
        attempt_no: 1,
        provider_call_id: Some(call.id.clone()),
        is_unknown: false,
        is_machine: false,
        error: None,
        started_at: stored(call.began().unwrap_or(news.occurred_at)),
        joined_at: None,
        ended_at: None,
        end_reason: None,
        summary: None,
        billed_seconds: None,
        voice_cost: Decimal::ZERO,
        carrier_cost: Decimal::ZERO,
        billing_status: None,
        billed_at: None,
        duration: None,
        outcome: None,
        transcript_status: Some(TranscriptStatus::Pending),
        analysis_status: Some(AnalysisStatus::Pending),
    };
    let origin = Origin {
        direction,
        source: Some(news.source),
        from: call.from.clone(),
        to: call.to.clone(),
        ..Origin::default()
    };
    Call::new(state, Some(origin))
}

/// Finds whose the new calls among these are. `updates`: the first news of each call is the one that counts.
pub(super) async fn find_agents(
    tx: &mut WriteTx,
    calls: &mut [Call],
    places: &[usize],
    updates: &[CallUpdate<'_>],
) -> Result<(), AppError> {
    let mut first_news: HashMap<usize, &VoiceCall> = HashMap::new();
    for (place, news) in places.iter().zip(updates) {
        if calls[*place].origin.is_some()
            && let std::collections::hash_map::Entry::Vacant(free) = first_news.entry(*place)
        {
            free.insert(news.call);
        }
    }
    let agents: BTreeSet<String> =
        first_news.values().filter_map(|call| call.agent_id.clone()).filter(|agent| !agent.is_empty()).collect();
    if agents.is_empty() {
        return Ok(());
    }
    let agents: Vec<String> = agents.into_iter().collect();
    let mappings = store::mappings(tx, &agents).await?;
    let by_agent: HashMap<&str, &Mapping> =
        mappings.iter().map(|mapping| (mapping.provider_agent_id.as_str(), mapping)).collect();
    let mut told: Vec<(usize, Told<'_>)> = Vec::new();
    for (place, news) in first_news {
        let Call { state, origin: Some(origin), .. } = &mut calls[place] else { continue };
        let Some(mapping) = news.agent_id.as_deref().and_then(|agent| by_agent.get(agent)) else { continue };
        (state.client_id, state.agent_id) = (Some(mapping.client_id), Some(mapping.agent_id));
        origin.direction.get_or_insert(mapping.direction);
        // What the service held when the call began. A copy that was sent since may have brought other words.
        if mapping.words_since.is_some_and(|since| since <= state.started_at) {
            (origin.prompt_id, origin.prompt_version) = (mapping.prompt_id, mapping.prompt_version);
        } else if let Some((prompt, words)) = mapping.prompt_id.zip(news.system_prompt.as_deref()) {
            told.push((place, Told { prompt, words: own_words(words), at: state.started_at }));
        }
    }
    find_versions(tx, calls, told).await?;
    recognise(tx, calls).await
}

/// What an agent was told before the copy that the service holds now: the words of the call say which version it was, or nobody knows.
async fn find_versions(tx: &mut WriteTx, calls: &mut [Call], told: Vec<(usize, Told<'_>)>) -> Result<(), AppError> {
    if told.is_empty() {
        return Ok(());
    }
    let (places, told): (Vec<usize>, Vec<Told<'_>>) = told.into_iter().unzip();
    let versions = prompts::versions_told(tx.reading(), &told).await?;
    for ((place, told), version) in places.into_iter().zip(&told).zip(versions) {
        if let (Some(origin), Some(version)) = (&mut calls[place].origin, version) {
            (origin.prompt_id, origin.prompt_version) = (Some(told.prompt), Some(version));
        }
    }
    Ok(())
}

/// Finds who is at the other end of the new calls, among the contacts of their clients.
async fn recognise(tx: &mut WriteTx, calls: &mut [Call]) -> Result<(), AppError> {
    let numbers: BTreeSet<(ClientId, String)> = calls
        .iter()
        .filter_map(|call| Some((call.state.client_id?, call.origin.as_ref()?.other_side()?.to_owned())))
        .collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<(ClientId, String)> = numbers.into_iter().collect();
    let contacts: HashMap<(ClientId, String), Recognised> = store::contacts(tx, &numbers)
        .await?
        .into_iter()
        .map(|contact| ((contact.client_id, contact.phone.clone()), contact))
        .collect();
    for call in calls {
        let Call { state, origin: Some(origin), .. } = call else { continue };
        let key = state.client_id.zip(origin.other_side().map(str::to_owned));
        if let Some(contact) = key.and_then(|key| contacts.get(&key)) {
            origin.contact_id = Some(contact.id);
            origin.contact_name.clone_from(&contact.name);
        }
    }
    Ok(())
}
