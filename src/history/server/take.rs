//! A page of the service's calls, taken into a transaction. The same way for imports and for checks, and through the same projector as
//! webhooks.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::compare::{missing, state_of};
use super::store::{self, calls::Known};
use crate::model::GapKind;
use patchbay_access::server::WriteTx;
use patchbay_calls::model::CallSource;
use patchbay_calls::server::fold::{self, CALL_KEY, CallUpdate, Words};
use patchbay_providers::voice::VoiceCall;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId};

/// What the calls are folded with.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub now: DateTime<Utc>,
    pub price_per_minute: rust_decimal::Decimal,
}

/// A call of a page, compared with what is here.
pub(crate) struct Compared<'a> {
    pub call: &'a VoiceCall,
    pub gap: Option<GapKind>,
    /// Ours, if it is here.
    pub known: Option<CallId>,
}

/// Agents of ours by the service's ids.
pub(crate) type Agents = HashMap<String, AgentId>;

/// Compares the calls of a page with those that are here. A call that the page has twice counts once.
pub(crate) async fn compare<'a>(
    tx: &mut WriteTx,
    provider: &str,
    calls: &'a [VoiceCall],
) -> Result<Vec<Compared<'a>>, AppError> {
    let theirs: Vec<String> = calls.iter().map(|call| call.id.clone()).collect();
    let ours: Vec<Uuid> = calls.iter().filter_map(our_id).collect();
    let known = store::calls::known(tx.reading(), provider, &theirs, &ours).await?;
    let mut by_theirs: HashMap<&str, &Known> = HashMap::new();
    let mut by_ours: HashMap<Uuid, &Known> = HashMap::new();
    for one in &known {
        match &one.provider_call_id {
            Some(id) => by_theirs.insert(id, one),
            None => by_ours.insert(one.id, one),
        };
    }
    let mut seen = std::collections::HashSet::new();
    let one = |call: &'a VoiceCall| {
        let known = by_theirs.get(call.id.as_str()).or_else(|| by_ours.get(&our_id(call)?)).copied();
        Compared { call, gap: missing(call, known), known: known.map(|known| CallId(known.id)) }
    };
    Ok(calls.iter().filter(|call| seen.insert(call.id.as_str())).map(one).collect())
}

fn our_id(call: &VoiceCall) -> Option<Uuid> {
    call.metadata.get(CALL_KEY)?.parse().ok()
}

/// Folds these calls, each with what becomes of its words. Gives for each our id, or why it could not be taken: one bad call does not
/// keep the others out.
pub(crate) async fn fold_each(
    tx: &mut WriteTx,
    calls: &[(&VoiceCall, Words)],
    terms: Terms,
) -> Result<Vec<Result<CallId, String>>, AppError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let error = match fold_or_take_back(tx, calls, terms, true).await? {
        Ok(ids) => return Ok(ids.into_iter().map(Ok).collect()),
        Err(error) => error,
    };
    if calls.len() == 1 {
        return Ok(vec![Err(error.to_string())]);
    }
    // Each by itself, only to see which are bad. Nothing of one is kept while the next is locked: whoever holds the costs of one call and
    // waits for another call may be waited for.
    let mut bad: Vec<Option<String>> = Vec::with_capacity(calls.len());
    for call in calls {
        let tried = fold_or_take_back(tx, std::slice::from_ref(call), terms, false).await?;
        bad.push(tried.err().map(|error| error.to_string()));
    }
    let good: Vec<(&VoiceCall, Words)> =
        calls.iter().zip(&bad).filter(|(_, why)| why.is_none()).map(|(call, _)| *call).collect();
    // If these cannot be taken together, it is no fault of theirs: the whole page is tried again later.
    let mut ids = fold_or_take_back(tx, &good, terms, true).await??.into_iter();
    Ok(bad.into_iter().filter_map(|why| why.map(Err).or_else(|| ids.next().map(Ok))).collect())
}

/// Folds these calls, or nothing of them. `keeps`: and not only to see whether it can be done. The outer error is a database that is gone:
/// it does not take anything back either, and ends the page.
async fn fold_or_take_back(
    tx: &mut WriteTx,
    calls: &[(&VoiceCall, Words)],
    terms: Terms,
    keeps: bool,
) -> Result<Result<Vec<CallId>, AppError>, AppError> {
    store::calls::mark(tx).await?;
    let mut folded = fold_all(tx, calls, terms).await;
    if let Err(error) = &folded {
        tracing::warn!(calls = calls.len(), cause = %error, "calls of a page could not be taken at once");
        store::calls::take_back(tx).await?;
        // Twice: two transactions that wait for each other are no fault of a call.
        folded = fold_all(tx, calls, terms).await;
    }
    if folded.is_err() || !keeps {
        store::calls::take_back(tx).await?;
    }
    store::calls::keep(tx).await?;
    Ok(folded)
}

async fn fold_all(tx: &mut WriteTx, calls: &[(&VoiceCall, Words)], terms: Terms) -> Result<Vec<CallId>, AppError> {
    let states: Vec<String> = calls.iter().map(|(call, _)| state_of(call)).collect();
    let updates: Vec<CallUpdate<'_>> = calls
        .iter()
        .zip(&states)
        .map(|((call, words), state)| CallUpdate {
            call,
            event_id: state,
            event_type: state.split_once(".billed").map_or(state.as_str(), |_| "listed.billed"),
            occurred_at: call.ended.or(call.joined).or(call.created).unwrap_or(terms.now),
            told_at: terms.now,
            payload: json!({ "listed": true, "state": state }),
            price_per_minute: terms.price_per_minute,
            source: CallSource::HistoricalSync,
            words: *words,
        })
        .collect();
    fold::apply_all(tx, &updates).await
}
