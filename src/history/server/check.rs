//! The regular comparison with the voice service. Every ten minutes it lists what began since the last one that came to its end, takes
//! what is missing, and asks after calls that have stayed without an end or a bill. So after any absence every call is there.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::close::{self, Trouble};
use super::import::{self, PAGE};
use super::ops::{PROVIDER, TOPIC};
use super::store::calls::Stuck;
use super::store::{self, checks, gaps};
use super::take::{self, Agents, Terms};
use crate::model::GapKind;
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_calls::server::fold::Words;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob};
use patchbay_providers::VoiceProvider;
use patchbay_providers::voice::{CallsAsk, CallsPage, VoiceCall};
use patchbay_shared::ids::{CallId, ConnectionId};
use patchbay_shared::{AppError, Reason};

/// Compares a connection with its service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckCalls {
    pub connection: ConnectionId,
    /// A person asked: the last thirty days are compared too, and what is missing there is written down for a person to close.
    pub looks_far: bool,
}

impl Job for CheckCalls {
    const KIND: &'static str = "check_calls";
    const ACTIONS: &'static [Action] =
        &[Action::ReadCalls, Action::ReadQueues, Action::UseConnections, Action::ReplayQueues, Action::RunBatches];

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.connection, self.looks_far))
    }
}

/// Closes the open gaps of a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CloseGaps {
    pub connection: ConnectionId,
    /// When somebody asked for it: what the service was asked about since then is not asked about again, however often the run waits
    /// in between. None in jobs of before: then everything is.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
}

impl Job for CloseGaps {
    const KIND: &'static str = "close_call_gaps";
    const ACTIONS: &'static [Action] = CheckCalls::ACTIONS;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.connection.to_string())
    }
}

/// How often a connection is compared.
pub(crate) const EVERY: Duration = Duration::minutes(10);
/// Calls may become visible late, and two may begin in the same moment: so much before the last moment is looked at once more.
const OVERLAP: Duration = Duration::minutes(30);
/// A webhook is on its way for so long.
pub(crate) const ON_ITS_WAY: Duration = Duration::minutes(2);
/// How far back a person's check looks.
pub(crate) const FAR: Duration = Duration::days(30);
/// A call is asked after when it has gone on, or has been without a bill, for so long.
pub(crate) const STUCK: Duration = Duration::minutes(15);
/// And so many at a time.
const MOST_STUCK: i64 = 200;

/// What one check found and did.
#[derive(Default)]
struct Found {
    compared: i64,
    closed: u64,
    failed: u64,
}

pub(crate) async fn run(scope: &Scope, job: &CheckCalls) -> Result<Verdict, Failure> {
    let Some((from, now)) = begin(scope, job.connection).await? else { return Ok(Verdict::Done) };
    let voice = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(AppError::Conflict(Reason::Suspended, _)) => return Ok(Verdict::Done),
        Err(error) => return record_trouble(scope, job.connection, &error.to_string(), EVERY).await,
    };
    let mut found = Found::default();
    let looked = look(scope, &voice, job, (from, now), &mut found).await;
    match looked {
        Ok(()) => {}
        Err(Trouble::Service(error)) => {
            let pause = error.retry_after.and_then(|pause| Duration::from_std(pause).ok());
            return record_trouble(scope, job.connection, &error.sentence(), pause.unwrap_or(EVERY)).await;
        }
        Err(Trouble::Ours(error)) => return Err(error.into()),
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let seen_from = if job.looks_far { now - FAR } else { from };
    checks::record(&mut tx, job.connection, seen_from, found.compared, now + EVERY).await?;
    if found.closed > 0 {
        tx.audit(Change {
            action: "closed",
            entity: "call_gap",
            entity_id: None,
            client_id: None,
            fields: Fields::Happened(json!({ "service": PROVIDER, "closed": found.closed, "failed": found.failed })),
        })
        .await?;
    }
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// From when on this check looks, and now. None: the connection is not compared. An import that lost its worker goes on.
async fn begin(scope: &Scope, connection: ConnectionId) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let Some(state) = checks::get(tx.reading(), connection).await? else { return Ok(None) };
    let now = tx.reading().now().await?;
    if let Some(sync) = store::first_unfinished(tx.reading(), connection).await? {
        patchbay_jobs::enqueue(&mut tx, &import::ImportPastCalls { sync }, NewJob::default()).await?;
    }
    gaps::close_filled(&mut tx, connection, PROVIDER).await?;
    tx.commit().await?;
    Ok(Some((state.clean_until - OVERLAP, now)))
}

async fn look(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    job: &CheckCalls,
    (from, now): (DateTime<Utc>, DateTime<Utc>),
    found: &mut Found,
) -> Result<(), Trouble> {
    let agents = agents(scope).await?;
    let price_per_minute = connections::settings(scope).await?.voice_price_per_minute;
    let terms = Terms { now, price_per_minute };
    let check = Check { scope, voice, connection: job.connection, agents, terms, now };
    if job.looks_far {
        check.walk(now - FAR, from, false, found).await?;
    }
    check.walk(from, now - ON_ITS_WAY, true, found).await?;
    check.ask_after_stuck(found).await
}

async fn agents(scope: &Scope) -> Result<Agents, AppError> {
    let mut tx = scope.read(Action::ReadQueues).await?;
    let all = store::provider_agents(&mut tx, PROVIDER).await?;
    Ok(all.into_iter().map(|(ours, theirs)| (theirs, ours)).collect())
}

/// What a check works with.
struct Check<'a> {
    scope: &'a Scope,
    voice: &'a Arc<dyn VoiceProvider>,
    connection: ConnectionId,
    agents: Agents,
    terms: Terms,
    now: DateTime<Utc>,
}

impl Check<'_> {
    /// Compares a span, the oldest calls first. `takes`: what is missing is taken, and else written down.
    async fn walk(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        takes: bool,
        found: &mut Found,
    ) -> Result<(), Trouble> {
        if from > to {
            return Ok(());
        }
        let ask = CallsAsk { from, to, agents: Vec::new(), newest_first: false, page_size: PAGE };
        let (mut cursor, mut reached) = (None::<String>, None::<DateTime<Utc>>);
        loop {
            let page = self.voice.list_calls(&ask, cursor.as_deref()).await.map_err(Trouble::Service)?;
            let is_same = page.next.is_some() && page.next == cursor;
            let is_back = page.reaches.zip(reached).is_some_and(|((_, newest), reached)| newest < reached);
            if is_same || is_back {
                let words = "The service’s list of calls leads in a circle, so nobody can say what is missing.";
                return Err(Trouble::Ours(AppError::ProviderDown(words.to_owned())));
            }
            reached = page.reaches.map(|(_, newest)| newest).or(reached);
            found.compared += page.calls.len() as i64;
            let is_last = page.next.is_none();
            // The whole span is clean once its last page is: calls may begin until then.
            let clean_until = if is_last { Some(to) } else { reached };
            match takes {
                true => self.take(&page, clean_until, found).await?,
                false => self.write_down(&page).await?,
            }
            if is_last {
                return Ok(());
            }
            cursor = page.next;
        }
    }

    /// Takes what is missing, and says so: each gap is found and closed in one transaction.
    async fn take(
        &self,
        page: &CallsPage,
        clean_until: Option<DateTime<Utc>>,
        found: &mut Found,
    ) -> Result<(), AppError> {
        let mut tx = self.scope.write(Action::ReplayQueues).await?;
        let compared = take::compare(&mut tx, PROVIDER, &page.calls).await?;
        let missing: Vec<(&VoiceCall, GapKind)> =
            compared.iter().filter_map(|one| Some((one.call, one.gap?))).collect();
        let calls: Vec<(&VoiceCall, Words)> = missing.iter().map(|(call, _)| (*call, Words::Now)).collect();
        let taken = take::fold_each(&mut tx, &calls, self.terms).await?;
        for ((call, kind), result) in missing.iter().zip(taken) {
            match result {
                Ok(id) => {
                    self.open(&mut tx, call, *kind, Some(id), why(*kind)).await?;
                    gaps::close(&mut tx, self.connection, *kind, &call.id, Some(id), close::how(*kind)).await?;
                    // Whatever else was missing of it is there now, too.
                    for other in GapKind::ALL.iter().filter(|other| *other != kind) {
                        close_if_filled(&mut tx, self.connection, *other, call, id).await?;
                    }
                    found.closed += 1;
                }
                Err(why) => {
                    self.open(&mut tx, call, *kind, None, &why).await?;
                    found.failed += 1;
                }
            }
        }
        // What could not be taken is looked at again: it is known until its day is over, and then a person decides.
        if let Some(until) = clean_until {
            checks::advance(&mut tx, self.connection, until).await?;
        }
        if !missing.is_empty() {
            tx.notify(Topic::list(TOPIC), None);
        }
        tx.commit().await
    }

    /// Writes down what is missing.
    async fn write_down(&self, page: &CallsPage) -> Result<(), AppError> {
        let mut tx = self.scope.write(Action::ReplayQueues).await?;
        let compared = take::compare(&mut tx, PROVIDER, &page.calls).await?;
        let mut is_news = false;
        for one in &compared {
            if let Some(kind) = one.gap {
                self.open(&mut tx, one.call, kind, one.known, why(kind)).await?;
                is_news = true;
            }
        }
        if is_news {
            tx.notify(Topic::list(TOPIC), None);
        }
        tx.commit().await
    }

    async fn open(
        &self,
        tx: &mut WriteTx,
        call: &VoiceCall,
        kind: GapKind,
        ours: Option<CallId>,
        why: &str,
    ) -> Result<(), AppError> {
        let gap = gaps::NewGap {
            kind,
            provider_call_id: &call.id,
            call: ours,
            agent: call.agent_id.as_ref().and_then(|id| self.agents.get(id)).copied(),
            started_at: call.began().unwrap_or(self.now),
            why,
        };
        gaps::open(tx, self.connection, &gap).await
    }

    /// Asks after calls that no list would show any more: those that have gone on for long, those without a bill, and those that have
    /// an end or a bill by now, while only the service knows whether it is what was missing.
    async fn ask_after_stuck(&self, found: &mut Found) -> Result<(), Trouble> {
        let mut tx = self.scope.read(Action::ReadQueues).await?;
        let before = self.now - STUCK;
        let endless = store::calls::without_end(&mut tx, PROVIDER, before, MOST_STUCK).await?;
        let unbilled = store::calls::without_bill(&mut tx, PROVIDER, before, MOST_STUCK).await?;
        let mut all: Vec<(GapKind, Stuck, bool)> = Vec::new();
        for (kind, stuck) in [(GapKind::WithoutEnd, endless), (GapKind::WithoutBill, unbilled)] {
            all.extend(stuck.into_iter().map(|stuck| (kind, stuck, true)));
            let doubtful = gaps::in_doubt(&mut tx, self.connection, PROVIDER, kind, MOST_STUCK).await?;
            all.extend(doubtful.into_iter().map(|stuck| (kind, stuck, false)));
        }
        drop(tx);
        for (kind, stuck, finds) in all {
            let closed = close::ask(self.scope, self.voice, self.connection, kind, &stuck, finds).await?;
            found.compared += 1;
            found.closed += u64::from(closed);
        }
        Ok(())
    }
}

async fn close_if_filled(
    tx: &mut WriteTx,
    connection: ConnectionId,
    kind: GapKind,
    call: &VoiceCall,
    id: CallId,
) -> Result<(), AppError> {
    let is_filled = match kind {
        GapKind::NeverHeardOf => true,
        GapKind::WithoutEnd => call.ended.is_some(),
        GapKind::WithoutBill => call.charged_seconds().is_some(),
    };
    if is_filled {
        gaps::close(tx, connection, kind, &call.id, Some(id), close::how(kind)).await?;
    }
    Ok(())
}

/// What is said of a gap that a list showed.
fn why(kind: GapKind) -> &'static str {
    match kind {
        GapKind::NeverHeardOf => "Ultravox has this call, and no webhook of it has come.",
        GapKind::WithoutEnd => "It has ended at Ultravox, and no webhook of the end has come.",
        GapKind::WithoutBill => "Ultravox has a bill for it that is not known here.",
    }
}

async fn record_trouble(
    scope: &Scope,
    connection: ConnectionId,
    why: &str,
    pause: Duration,
) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let next = tx.reading().now().await? + pause.max(EVERY);
    checks::record_trouble(&mut tx, connection, why, next).await?;
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(Verdict::Done)
}
