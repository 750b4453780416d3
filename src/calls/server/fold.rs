//! What a provider's words make of calls. Facts are only added and a finished call never goes back, so every order of events,
//! and any doubling, ends in the same row. `facts` says what news makes of a row; here rows are found, made and written, for many
//! calls in few statements.

mod stubs;

pub(crate) mod facts;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use self::facts::{CallState, Effects, Told};
use super::ended::{CallEnded, Ended};
use super::store::folded::{self as store, NewEvent, Origin};
use super::{carrier, enrich, follow, told};
use crate::model::{CallSource, EnrichmentType};
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_metering::server::budget;
use patchbay_metering::server::days::{self, Touched};
use patchbay_providers::voice::VoiceCall;
use patchbay_runs::server::live as runs;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{BatchId, CallId, ClientId};
use patchbay_webhooks::model::EventType;

/// The key in the provider's metadata that holds our call's id.
pub const CALL_KEY: &str = "patchbay_call";

/// CallUpdate about a call: an event of the provider, or what it answered when it was asked.
pub struct CallUpdate<'a> {
    pub call: &'a VoiceCall,
    /// Unique per event of a call: the same news twice is no news.
    pub event_id: &'a str,
    pub event_type: &'a str,
    pub occurred_at: DateTime<Utc>,
    /// When the provider said it. Of two bills for a call the later one counts.
    pub told_at: DateTime<Utc>,
    /// The provider's words, kept as they came.
    pub payload: serde_json::Value,
    /// US dollars per minute of talk.
    pub price_per_minute: Decimal,
    /// How we came to know the call, if this is the first that is heard of it.
    pub source: CallSource,
    pub words: Words,
}

/// What becomes of the words of a call that ended with talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// They are fetched.
    Now,
    /// They wait until somebody else has them fetched.
    Later,
    /// They are not wanted.
    Never,
}

/// A call while news is folded into it.
struct Call {
    state: CallState,
    /// The row is made at the end of this.
    origin: Option<Origin>,
    effects: Effects,
    /// When the call began before this.
    began: DateTime<Utc>,
}

impl Call {
    fn new(state: CallState, origin: Option<Origin>) -> Self {
        Self { began: state.started_at, state, origin, effects: Effects::default() }
    }
}

/// Folds news into its call, which is made if nobody knows it yet. Gives the call's id.
pub async fn apply(tx: &mut WriteTx, news: &CallUpdate<'_>) -> Result<CallId, AppError> {
    let ids = apply_all(tx, std::slice::from_ref(news)).await?;
    ids.first().copied().ok_or_else(|| internal("news without a call"))
}

/// The same for news of many calls, in the order in which it is given. Gives the call of each.
pub async fn apply_all(tx: &mut WriteTx, updates: &[CallUpdate<'_>]) -> Result<Vec<CallId>, AppError> {
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    store::plan_anew(tx).await?;
    let mut known = find(tx, updates).await?;
    let places: Vec<usize> = updates.iter().map(|news| known.place(news)).collect();
    let mut calls = known.calls;
    stubs::find_agents(tx, &mut calls, &places, updates).await?;
    make(tx, &mut calls, &places, updates).await?;
    learn(tx, &mut calls, &places, updates).await?;
    follow_up(tx, &calls).await?;
    Ok(places.into_iter().map(|place| calls[place].state.id).collect())
}

/// Calls by our id and by the provider's.
struct Known {
    calls: Vec<Call>,
    by_id: HashMap<Uuid, usize>,
    by_provider_id: HashMap<String, usize>,
}

fn our_id(call: &VoiceCall) -> Option<Uuid> {
    call.metadata.get(CALL_KEY).and_then(|id| id.parse().ok())
}

/// The calls that the news may be about, locked until the commit.
async fn find(tx: &mut WriteTx, updates: &[CallUpdate<'_>]) -> Result<Known, AppError> {
    let ours: Vec<Uuid> = updates.iter().filter_map(|news| our_id(news.call)).collect();
    let theirs: Vec<String> = updates.iter().map(|news| news.call.id.clone()).collect();
    let rows = store::find(tx, &ours, &theirs).await?;
    let by_id = rows.iter().enumerate().map(|(at, row)| (row.id.0, at)).collect();
    let by_provider_id =
        rows.iter().enumerate().filter_map(|(at, row)| Some((row.provider_call_id.clone()?, at))).collect();
    Ok(Known { calls: rows.into_iter().map(|row| Call::new(row, None)).collect(), by_id, by_provider_id })
}

impl Known {
    /// The call that the news is about. Our id in the metadata names it, unless that call is another one at the provider; else the
    /// provider's id does; else it is a new one.
    fn place(&mut self, news: &CallUpdate<'_>) -> usize {
        let theirs = news.call.id.as_str();
        let ours = our_id(news.call)
            .and_then(|id| self.by_id.get(&id).copied())
            .filter(|at| self.calls[*at].state.provider_call_id.as_deref().is_none_or(|known| known == theirs));
        if let Some(at) = ours.or_else(|| self.by_provider_id.get(theirs).copied()) {
            let known = self.calls[at].state.provider_call_id.get_or_insert_with(|| theirs.to_owned());
            self.by_provider_id.entry(known.clone()).or_insert(at);
            return at;
        }
        let new = stubs::begin(news);
        self.by_id.insert(new.state.id.0, self.calls.len());
        self.by_provider_id.insert(theirs.to_owned(), self.calls.len());
        self.calls.push(new);
        self.calls.len() - 1
    }
}

/// Makes the rows of new calls, as all news about them leaves them. A call that somebody else makes in this very moment is not new.
async fn make(
    tx: &mut WriteTx,
    calls: &mut [Call],
    places: &[usize],
    updates: &[CallUpdate<'_>],
) -> Result<(), AppError> {
    let mut heard: HashSet<(usize, &str)> = HashSet::new();
    for (place, news) in places.iter().zip(updates) {
        let call = &mut calls[*place];
        if call.origin.is_some() && heard.insert((*place, news.event_id)) {
            call.state.learn(news, &mut call.effects);
        }
    }
    let mut rows: Vec<(&CallState, &Origin)> =
        calls.iter().filter_map(|call| Some((&call.state, call.origin.as_ref()?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // Two that make the same calls meet in the same order.
    rows.sort_unstable_by(|one, other| one.0.provider_call_id.cmp(&other.0.provider_call_id));
    let made: HashSet<CallId> = store::insert(tx, &rows).await?.into_iter().collect();
    let lost: Vec<String> = rows
        .iter()
        .filter(|(state, _)| !made.contains(&state.id))
        .filter_map(|(state, _)| state.provider_call_id.clone())
        .collect();
    if !lost.is_empty() {
        let theirs = store::find(tx, &[], &lost).await?;
        let mut theirs: HashMap<Option<String>, CallState> =
            theirs.into_iter().map(|state| (state.provider_call_id.clone(), state)).collect();
        for call in calls.iter_mut().filter(|call| call.origin.is_some() && !made.contains(&call.state.id)) {
            let state = theirs.remove(&call.state.provider_call_id);
            *call = Call::new(state.ok_or_else(|| internal("a call that was just made is not there"))?, None);
        }
    }
    for call in calls.iter_mut().filter(|call| call.origin.is_some()) {
        // Nobody else looks after a call that is in no batch.
        call.effects.follow_in(2);
    }
    claim_legs(tx, calls).await
}

/// Legs of the carrier that waited for one of the new calls.
async fn claim_legs(tx: &mut WriteTx, calls: &mut [Call]) -> Result<(), AppError> {
    let new: Vec<(CallId, &str, &str, DateTime<Utc>)> = calls
        .iter()
        .filter_map(|call| {
            let origin = call.origin.as_ref()?;
            Some((call.state.id, origin.from.as_deref()?, origin.to.as_deref()?, call.began))
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let waited_for: HashSet<CallId> = store::with_waiting_legs(tx, &new, carrier::NEAR).await?.into_iter().collect();
    for Call { state, origin, effects, began } in calls.iter_mut().filter(|call| waited_for.contains(&call.state.id)) {
        let Some((from, to)) = origin.as_ref().and_then(|origin| origin.from.as_deref().zip(origin.to.as_deref()))
        else {
            continue;
        };
        // The client's month is told at the end, with all the other costs.
        effects.costs.extend(carrier::claim_legs(tx, (state.id, state.client_id), (from, to), *began).await?);
    }
    Ok(())
}

/// Keeps the events, and adds what is new in them to the calls that were there before.
async fn learn(
    tx: &mut WriteTx,
    calls: &mut [Call],
    places: &[usize],
    updates: &[CallUpdate<'_>],
) -> Result<(), AppError> {
    let events: Vec<NewEvent<'_>> = places
        .iter()
        .zip(updates)
        .map(|(place, news)| NewEvent {
            call: calls[*place].state.id,
            client: calls[*place].state.client_id,
            event_id: news.event_id,
            event_type: news.event_type,
            occurred_at: news.occurred_at,
            payload: &news.payload,
        })
        .collect();
    let mut new: HashSet<(CallId, String)> = store::remember(tx, &events).await?.into_iter().collect();
    for (place, news) in places.iter().zip(updates) {
        let call = &mut calls[*place];
        if call.origin.is_none() && new.remove(&(call.state.id, news.event_id.to_owned())) {
            call.state.learn(news, &mut call.effects);
        }
    }
    let changed: Vec<&CallState> =
        calls.iter().filter(|call| call.origin.is_none() && call.effects.is_changed).map(|call| &call.state).collect();
    if changed.is_empty() {
        return Ok(());
    }
    store::update(tx, &changed).await
}

/// Costs, words, contacts, and who asks after a call: each in the order of the calls' ids, as everywhere.
async fn follow_up(tx: &mut WriteTx, calls: &[Call]) -> Result<(), AppError> {
    let mut changed: Vec<&Call> = calls.iter().filter(|call| call.effects.is_changed).collect();
    changed.sort_unstable_by_key(|call| call.state.id.0);
    let costs: Vec<(ClientId, DateTime<Utc>, Decimal)> = changed
        .iter()
        .filter_map(|call| Some((call.state.client_id?, &call.effects.costs)))
        .flat_map(|(client, costs)| costs.iter().map(move |(at, amount)| (client, *at, *amount)))
        .collect();
    budget::add_all(tx, &costs).await?;
    let touched: Vec<Touched> = changed
        .iter()
        .flat_map(|call| [call.began, call.state.started_at].map(|at| Touched { client_id: call.state.client_id, at }))
        .collect();
    days::touch(tx, &touched).await?;
    let ids: Vec<CallId> = changed.iter().map(|call| call.state.id).collect();
    runs::follow(tx, &ids).await?;
    let spoken: Vec<CallId> =
        changed.iter().filter(|call| call.effects.fetch_words).map(|call| call.state.id).collect();
    enrich::enqueue_all(tx, &spoken, EnrichmentType::Transcript).await?;
    tell(tx, &changed).await?;
    let events: Vec<(CallId, EventType)> =
        changed.iter().flat_map(|call| call.effects.events.iter().map(|event| (call.state.id, *event))).collect();
    told::tell(tx, &events).await?;
    let followed: Vec<(CallId, i64)> = changed
        .iter()
        .filter(|call| !call.effects.is_settled)
        .filter_map(|call| Some((call.state.id, call.effects.follow?)))
        .collect();
    follow::enqueue_all(tx, &followed).await?;
    // What has been made just now is not asked after yet.
    let settled: Vec<CallId> = changed
        .iter()
        .filter(|call| call.effects.is_settled && call.origin.is_none())
        .map(|call| call.state.id)
        .collect();
    follow::no_longer(tx, &settled).await?;
    notify(tx, &changed);
    Ok(())
}

/// Tells whoever placed the calls that they ended, or ended otherwise than they were told at first. Batch by batch in the order of their
/// ids, so that two that tell of the same batches wait for each other and never in a circle.
async fn tell(tx: &mut WriteTx, changed: &[&Call]) -> Result<(), AppError> {
    let mut told: BTreeMap<BatchId, Vec<Ended<'_>>> = BTreeMap::new();
    for Call { state, effects, .. } in changed {
        let (Some(contact), Some(batch)) = (state.campaign_contact_id, state.batch_id) else { continue };
        let (attempt, call) = (state.attempt_no, state.id);
        let news = effects.told.iter().map(|Told { is_end, outcome, error }| {
            let (is_end, outcome, error) = (*is_end, *outcome, error.as_deref());
            Ended { contact, attempt, call, outcome, error, is_end }
        });
        told.entry(batch).or_default().extend(news);
    }
    told.retain(|_, calls| !calls.is_empty());
    if told.is_empty() {
        return Ok(());
    }
    let on_end = tx.services().hooks.get::<CallEnded>()?.ended;
    for (batch, calls) in &told {
        on_end(tx, *batch, calls).await?;
    }
    Ok(())
}

/// Tells open pages. Nobody can have a call open that has just become known.
fn notify(tx: &mut WriteTx, changed: &[&Call]) {
    for Call { state, origin, .. } in changed {
        for topic in [Topic::list("calls"), Topic::list("dashboard")] {
            tx.notify(topic, state.client_id);
        }
        if origin.is_none() {
            tx.notify(Topic::one("call", state.id), state.client_id);
        }
        if let Some(batch) = state.batch_id {
            tx.notify(Topic::one("batch", batch), state.client_id);
        }
    }
}
