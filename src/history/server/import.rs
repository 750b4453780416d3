//! One import, page by page. A page of calls and the cursor behind it are one transaction, so whoever dies in between repeats at most one
//! page, and what is repeated changes nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::estimate;
use super::ops::{self, PROVIDER, TOPIC};
use super::store::{self, Sync, Tally};
use super::take::{self, Agents, Compared, Terms};
use super::words;
use crate::model::SyncJobStatus;
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_calls::server::fold::Words;
use patchbay_calls::server::past;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::Job;
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::voice::{CallsAsk, CallsPage, VoiceCall};
use patchbay_providers::{Kind, ProviderError, VoiceProvider};
use patchbay_shared::ids::{AgentId, CallId, HistoricalSyncId};
use patchbay_shared::zone::zone;
use patchbay_shared::{AppError, Reason};

/// Takes the next pages of an import.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ImportPastCalls {
    pub sync: HistoricalSyncId,
}

impl Job for ImportPastCalls {
    const KIND: &'static str = "import_past_calls";
    const ACTIONS: &'static [Action] = &[Action::ReadQueues, Action::UseConnections, Action::ReplayQueues];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.sync.to_string())
    }
}

/// Calls on a page of the list.
pub(crate) const PAGE: u32 = crate::model::PAGE as u32;
/// Walks through a list that grows meanwhile. What comes to light after that is found by the checks.
const MOST_WALKS: i32 = 4;
/// How long one turn takes at most: then others have theirs, a process that stops need not wait, and who dies has not died in vain.
const TURN: Duration = Duration::from_secs(2);
/// Agents whose calls are counted before the first page: each costs a request.
const MOST_COUNTED: usize = 25;
/// How long an import whose turn has not come, or whose account is switched off, waits. Whoever ends the running one wakes it.
const IDLE: Duration = Duration::from_secs(300);
/// How long it waits for trouble to pass, and for a limit that says nothing about it.
const TROUBLE: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);
/// What a list says that never ends.
const LOOPS: &str = "The service’s list of calls leads in a circle, so nobody can say that it is complete. What was imported is kept. Try again later, with fewer days.";

/// How a page ended.
enum Next {
    More,
    /// The list is walked once more.
    Again,
    Over,
    /// Somebody else went on with it, or it was cancelled.
    NotOurs,
}

pub(crate) async fn run(scope: &Scope, id: HistoricalSyncId) -> Result<Verdict, Failure> {
    let until = Instant::now() + TURN;
    let Some((mut sync, pause)) = begin(scope, id).await? else { return Ok(Verdict::Done) };
    if let Some(pause) = pause {
        return Ok(Verdict::Later(pause));
    }
    let voice = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(AppError::Conflict(Reason::Suspended, _)) => return Ok(Verdict::Later(IDLE)),
        Err(error) => return wait(scope, id, IDLE, 0, &error.to_string()).await,
    };
    let (agents, chosen) = agents_of(scope, &sync).await?;
    if sync.found.is_none() {
        count_agents(scope, &voice, &sync, &agents, &chosen).await?;
    }
    let price_per_minute = connections::settings(scope).await?.voice_price_per_minute;
    let mut page = match fetch(&voice, &sync, &chosen, sync.cursor.as_deref()).await {
        Ok(page) => page,
        Err(error) => return trouble(scope, &sync, &error).await,
    };
    loop {
        if is_circle(&sync, &page) {
            return fail(scope, id, LOOPS).await;
        }
        let terms = Terms { now: Utc::now(), price_per_minute };
        // The next page is asked for while this one is written.
        let after = page.next.clone();
        let ahead = async {
            match &after {
                Some(cursor) if Instant::now() < until => Some(fetch(&voice, &sync, &chosen, Some(cursor)).await),
                _ => None,
            }
        };
        let (taken, ahead) = tokio::join!(take_page(scope, &sync, &page, &agents, terms), ahead);
        match taken? {
            Next::NotOurs | Next::Over => return Ok(Verdict::Done),
            Next::Again => return Ok(Verdict::Later(Duration::ZERO)),
            Next::More => {}
        }
        sync.cursor = page.next;
        sync.reached = page.reaches.map(|(oldest, _)| oldest).or(sync.reached);
        page = match ahead {
            Some(Ok(page)) => page,
            Some(Err(error)) => return trouble(scope, &sync, &error).await,
            None => return Ok(Verdict::Later(Duration::ZERO)),
        };
    }
}

/// The import, if there is something to do: begun if it is its turn. With how long it waits: another one runs, or the service has asked
/// for it, and whoever looks after imports that lost their worker does not shorten that.
async fn begin(scope: &Scope, id: HistoricalSyncId) -> Result<Option<(Sync, Option<Duration>)>, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let sync = match store::lock(&mut tx, id).await {
        Ok(sync) => sync,
        Err(AppError::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    if sync.status.is_over() {
        return Ok(None);
    }
    if sync.status == SyncJobStatus::Pending {
        if store::first_unfinished(tx.reading(), sync.connection).await? != Some(id) {
            return Ok(Some((sync, Some(IDLE))));
        }
        store::begin(&mut tx, id).await?;
        tx.notify(Topic::list(TOPIC), None);
        tx.commit().await?;
        return Ok(Some((Sync { status: SyncJobStatus::InProgress, ..sync }, None)));
    }
    let now = tx.reading().now().await?;
    let pause = sync.waits_until.and_then(|until| (until - now).to_std().ok()).filter(|pause| !pause.is_zero());
    Ok(Some((sync, pause)))
}

/// All agents that the service knows, by its ids, and the ids of those that the import is narrowed to; none for all.
async fn agents_of(scope: &Scope, sync: &Sync) -> Result<(Agents, Vec<String>), AppError> {
    let mut tx = scope.read(Action::ReadQueues).await?;
    let all = store::provider_agents(&mut tx, PROVIDER).await?;
    let agents: Agents = all.into_iter().map(|(ours, theirs)| (theirs, ours)).collect();
    let chosen = match sync.all_agents {
        true => Vec::new(),
        false => store::agents(&mut tx, sync.id).await?,
    };
    Ok((agents, chosen))
}

/// How many calls the service has of each agent, if they are few enough to ask. A figure that it does not give is left out.
async fn count_agents(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    sync: &Sync,
    agents: &Agents,
    chosen: &[String],
) -> Result<(), AppError> {
    let counted: Vec<&String> = agents.keys().filter(|id| chosen.is_empty() || chosen.contains(*id)).collect();
    if counted.len() > MOST_COUNTED {
        return Ok(());
    }
    let mut found = Vec::new();
    for theirs in counted {
        match estimate::count_of(voice.as_ref(), sync.from, sync.to, vec![theirs.clone()]).await {
            Ok(Some(calls)) if calls > 0 => found.push((theirs, calls)),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    for (theirs, calls) in found {
        if let Some(agent) = agents.get(theirs) {
            store::count_agent(&mut tx, sync.id, Some((*agent, theirs)), Some(calls), Tally::default()).await?;
        }
    }
    tx.commit().await
}

async fn fetch(
    voice: &Arc<dyn VoiceProvider>,
    sync: &Sync,
    chosen: &[String],
    cursor: Option<&str>,
) -> Result<CallsPage, ProviderError> {
    let ask = CallsAsk { from: sync.from, to: sync.to, agents: chosen.to_vec(), newest_first: true, page_size: PAGE };
    voice.list_calls(&ask, cursor).await
}

/// A list that names the same page as the next one, or that has come back to newer calls than those it was at.
fn is_circle(sync: &Sync, page: &CallsPage) -> bool {
    let is_same = page.next.is_some() && page.next == sync.cursor;
    let is_back = page.reaches.zip(sync.reached).is_some_and(|((oldest, _), reached)| oldest > reached);
    is_same || is_back
}

/// Takes a page, unless somebody has done so.
async fn take_page(
    scope: &Scope,
    sync: &Sync,
    page: &CallsPage,
    agents: &Agents,
    terms: Terms,
) -> Result<Next, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let now = store::lock(&mut tx, sync.id).await?;
    if now.status != SyncJobStatus::InProgress || now.cursor != sync.cursor {
        return Ok(Next::NotOurs);
    }
    let compared = take::compare(&mut tx, PROVIDER, &page.calls).await?;
    let of_the_past = if sync.with_transcripts { Words::Later } else { Words::Never };
    // A call that is here already is no call of the past: its words are fetched, as if its webhook had come.
    let words = |one: &Compared<'_>| if one.known.is_some() { Words::Now } else { of_the_past };
    let missing = || compared.iter().filter(|one| one.gap.is_some());
    let news: Vec<(&VoiceCall, Words)> = missing().map(|one| (one.call, words(one))).collect();
    let taken = take::fold_each(&mut tx, &news, terms).await?;
    if let Some(wish) = past::Wish::of(sync.with_transcripts, sync.with_recordings) {
        let of_the_past =
            missing().zip(&taken).filter(|(one, _)| one.known.is_none() && one.call.is_recorded != Some(false));
        let ids: Vec<CallId> = of_the_past.filter_map(|(_, taken)| taken.as_ref().ok().copied()).collect();
        past::wish_recordings(&mut tx, &ids, wish).await?;
    }
    let mut counts = Counts { zone: sync.zone.clone(), ..Counts::default() };
    for one in compared.iter().filter(|one| one.gap.is_none() && now.walk == 1) {
        counts.add(one.call, agents, Tally { skipped: 1, ..Tally::default() });
    }
    for ((call, _), result) in news.iter().zip(taken) {
        let tally = match &result {
            Ok(_) => Tally { imported: 1, ..Tally::default() },
            Err(why) => {
                let agent = call.agent_id.as_ref().and_then(|id| agents.get(id)).copied();
                store::insert_failure(&mut tx, sync.id, Some(&call.id), agent, call.began(), why).await?;
                Tally { failed: 1, ..Tally::default() }
            }
        };
        counts.add(call, agents, tally);
    }
    for why in page.unreadable.iter().filter(|_| now.walk == 1) {
        store::insert_failure(&mut tx, sync.id, None, None, None, why).await?;
        counts.all.failed += 1;
    }
    counts.write(&mut tx, sync.id, agents).await?;
    let reached = page.reaches.map(|(oldest, _)| oldest);
    // A list that is narrowed by the day only counts calls beside the span too.
    let total = page.total.map(|total| total as i64);
    let found = total.filter(|total| *total >= now.found.unwrap_or(0));
    let walk_found = if sync.cursor.is_none() { total } else { now.walk_found };
    store::advance(&mut tx, sync.id, page.next.as_deref(), reached, found, counts.all).await?;
    let has_grown = total.zip(walk_found).is_some_and(|(now, then)| now > then) && now.walk < MOST_WALKS;
    match (&page.next, has_grown) {
        (None, true) => store::begin_walk(&mut tx, sync.id, now.walk + 1, None).await?,
        _ => store::begin_walk(&mut tx, sync.id, now.walk, walk_found).await?,
    }
    let is_over = page.next.is_none() && !has_grown;
    if is_over {
        ops::end(&mut tx, sync.id, SyncJobStatus::Completed, None).await?;
    }
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(match (is_over, page.next.is_none()) {
        (true, _) => Next::Over,
        (false, true) => Next::Again,
        (false, false) => Next::More,
    })
}

/// What became of the calls of a page: in all, by agent, by day.
#[derive(Default)]
struct Counts {
    zone: String,
    all: Tally,
    agents: HashMap<Option<String>, Tally>,
    days: HashMap<NaiveDate, Tally>,
}

impl Counts {
    fn add(&mut self, call: &VoiceCall, agents: &Agents, tally: Tally) {
        let theirs = call.agent_id.clone().filter(|id| agents.contains_key(id));
        let day = call.began().map(|at| at.with_timezone(&zone(&self.zone)).date_naive());
        let mut all = vec![&mut self.all, self.agents.entry(theirs).or_default()];
        if let Some(day) = day {
            all.push(self.days.entry(day).or_default());
        }
        for sum in all {
            sum.imported += tally.imported;
            sum.skipped += tally.skipped;
            sum.failed += tally.failed;
        }
    }

    async fn write(&self, tx: &mut WriteTx, sync: HistoricalSyncId, agents: &Agents) -> Result<(), AppError> {
        for (theirs, tally) in &self.agents {
            let agent: Option<(AgentId, &str)> =
                theirs.as_deref().and_then(|theirs| Some((*agents.get(theirs)?, theirs)));
            store::count_agent(tx, sync, agent, None, *tally).await?;
        }
        for (day, tally) in &self.days {
            store::count_day(tx, sync, *day, *tally).await?;
        }
        Ok(())
    }
}

/// The service did not give the page.
async fn trouble(scope: &Scope, sync: &Sync, error: &ProviderError) -> Result<Verdict, Failure> {
    if error.kind == Kind::RateLimited {
        let pause = error.retry_after.unwrap_or(LIMIT);
        let seconds = pause.as_secs_f64().ceil() as i64;
        return wait(scope, sync.id, pause, seconds, &error.sentence()).await;
    }
    if error.kind == Kind::Credentials {
        connections::mark_failing(scope, error.provider, &error.sentence()).await?;
    }
    if error.is_passing_trouble() {
        let pause = error.retry_after.unwrap_or(TROUBLE);
        return wait(scope, sync.id, pause, 0, &error.sentence()).await;
    }
    // A cursor is good for a while only: the list is asked anew from where it was.
    let is_forgotten = matches!(error.kind, Kind::Rejected | Kind::NotFound) && error.status != Some(402);
    if is_forgotten && sync.cursor.is_some() && sync.reached.is_some() {
        let mut tx = scope.write(Action::ReplayQueues).await?;
        store::forget_cursor(&mut tx, sync.id).await?;
        tx.commit().await?;
        return Ok(Verdict::Later(Duration::ZERO));
    }
    fail(scope, sync.id, &error.sentence()).await
}

/// Says why it waits and comes back. `limit`: seconds that the service's limit costs.
async fn wait(scope: &Scope, id: HistoricalSyncId, pause: Duration, limit: i64, why: &str) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let until = tx.reading().now().await? + chrono::Duration::from_std(pause).unwrap_or_default();
    store::wait(&mut tx, id, limit, until, Some(why)).await?;
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(Verdict::Later(pause))
}

async fn fail(scope: &Scope, id: HistoricalSyncId, why: &str) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    ops::end(&mut tx, id, SyncJobStatus::Failed, Some(why)).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// What follows when an import is over: the next one begins, and the words and the sound of its calls are fetched.
pub(crate) async fn after(tx: &mut WriteTx, sync: &Sync) -> Result<(), AppError> {
    if let Some(next) = store::first_unfinished(tx.reading(), sync.connection).await? {
        patchbay_jobs::enqueue(tx, &ImportPastCalls { sync: next }, patchbay_jobs::NewJob::default()).await?;
    }
    if (sync.with_transcripts || sync.with_recordings) && sync.imported > 0 {
        words::enqueue(tx).await?;
    }
    Ok(())
}
