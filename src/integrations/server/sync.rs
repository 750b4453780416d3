//! One sync, step by step. What a step did and the place behind it are one transaction, so whoever dies in between repeats at most one
//! step, and what is repeated changes nothing: records are compared with what both sides agreed on, and what is written there carries a
//! key of ours.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::crm;
use super::jobs::SyncIntegration;
use super::mapping::Rules;
use super::ops;
use super::store::{self, Integration, syncs};
use super::tokens::{self, Lacking};
use crate::model::{CrmConfig, FieldMap, Reach, SyncStatus, SyncType};
use ending::finish;
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_contacts::server::synced;
use patchbay_jobs::NewJob;
use patchbay_jobs::runner::Verdict;
use patchbay_providers::ProviderError;
use patchbay_providers::crm::Crm;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, IntegrationId, SyncId};
pub(crate) use troubles::fail;
use troubles::{lacks, note_limit, trouble};

pub(crate) mod activities;
pub(crate) mod deals;
mod ending;
pub(crate) mod merged;
pub(crate) mod outcomes;
pub(crate) mod preview;
pub(crate) mod read;
pub(crate) mod retries;
mod troubles;
pub(crate) mod write;

/// How long one turn takes at most: then others have theirs.
const TURN: Duration = Duration::from_secs(2);
/// How long it waits for another sync.
const TROUBLE: Duration = Duration::from_secs(60);
/// Pages of one list.
const MOST_PAGES: u32 = 50_000;
/// Of a day's requests, this part is left to what is written.
const KEPT_FOR_WRITES: u32 = 20;

/// A part of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Flags,
    Retries,
    Pages,
    Removed,
    Contacts,
    Calls,
}

/// Where a sync goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub phase: Phase,
    /// The service's own word for the next page.
    #[serde(default)]
    pub next: Option<String>,
    /// Changes from here on are asked for. None: all.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    /// When it began: up to then all is known once it is through.
    pub began: DateTime<Utc>,
    #[serde(default)]
    pub pages: u32,
    #[serde(default)]
    pub troubles: u32,
    #[serde(default)]
    pub restarts: u32,
    /// Reading rests, because the day's limit is nearly used up.
    #[serde(default)]
    pub rests: bool,
    /// Who went away is read before the pages. False: it began under a version that read them afterwards.
    #[serde(default)]
    pub went_first: bool,
    /// Activities are read, and not only written.
    #[serde(default)]
    pub reads: bool,
    /// When people who changed were read in between, while activities were.
    #[serde(default)]
    pub people_at: Option<DateTime<Utc>>,
    /// Kinds of activities that could not be read.
    #[serde(default)]
    pub missing: Vec<String>,
    /// What is exchanged after this.
    #[serde(default)]
    pub then: Vec<SyncType>,
}

fn phases(kind: SyncType, reach: Reach, (reads, went_first): (bool, bool)) -> &'static [Phase] {
    match (reach, kind) {
        (Reach::Retry, _) => &[Phase::Flags, Phase::Retries, Phase::Contacts, Phase::Calls],
        // Who went away first: at Zoho a record that was merged is one that is gone, and its contact is found anew by the other one.
        (_, SyncType::Contacts) if went_first => {
            &[Phase::Flags, Phase::Retries, Phase::Removed, Phase::Pages, Phase::Contacts]
        }
        (_, SyncType::Contacts) => &[Phase::Flags, Phase::Retries, Phase::Pages, Phase::Removed, Phase::Contacts],
        (_, SyncType::Deals) => &[Phase::Flags, Phase::Pages, Phase::Removed],
        // What waits is written before a long list is read.
        (_, SyncType::Activities) if reads => {
            &[Phase::Flags, Phase::Retries, Phase::Contacts, Phase::Calls, Phase::Pages, Phase::Removed]
        }
        // What failed to be read is due by the same clock, so whatever the clock begins tries it again.
        (_, SyncType::Activities) => &[Phase::Flags, Phase::Retries, Phase::Contacts, Phase::Calls],
    }
}

/// What all steps of a turn work with.
pub(crate) struct Work<'a> {
    pub scope: &'a Scope,
    pub integration: &'a Integration,
    pub client: ClientId,
    pub config: CrmConfig,
    pub lines: Vec<FieldMap>,
    pub country: Option<String>,
}

impl Work<'_> {
    pub fn rules(&self) -> Rules<'_> {
        Rules { lines: &self.lines, country: self.country.as_deref(), system: self.system() }
    }

    pub fn system(&self) -> &'static str {
        self.integration.kind.label()
    }
}

/// How a step ended.
pub(crate) enum Step {
    /// There is more of this phase; the cursor may have moved.
    More,
    /// The phase is through.
    Through,
    /// Somebody else went on with the sync, or ended it.
    NotOurs,
}

/// Why a step did not end.
pub(crate) enum Trouble {
    Service(ProviderError),
    App(AppError),
}

impl From<ProviderError> for Trouble {
    fn from(error: ProviderError) -> Self {
        Self::Service(error)
    }
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

/// Writes a sync down and has it done. None: one is running.
pub(crate) async fn begin(
    tx: &mut WriteTx,
    integration: &Integration,
    kind: SyncType,
    reach: Reach,
) -> Result<Option<SyncId>, AppError> {
    let types = integration.config::<CrmConfig>().settings.types;
    let then = match (kind, reach) {
        (SyncType::Contacts, Reach::Changes | Reach::Everything) => {
            types.into_iter().filter(|kind| *kind != SyncType::Contacts).collect()
        }
        _ => Vec::new(),
    };
    let user = tx.user_id();
    // What the clock begins for activities alone is there to write.
    insert(tx, integration, kind, reach, then, user, user.is_some()).await
}

#[allow(clippy::too_many_arguments)]
async fn insert(
    tx: &mut WriteTx,
    integration: &Integration,
    kind: SyncType,
    reach: Reach,
    then: Vec<SyncType>,
    user: Option<patchbay_shared::ids::UserId>,
    reads: bool,
) -> Result<Option<SyncId>, AppError> {
    let config = integration.config::<CrmConfig>();
    let began = tx.reading().now().await?;
    let until = match kind {
        SyncType::Deals => config.deals_until,
        SyncType::Activities => activities::since(&config, began),
        SyncType::Contacts => config.contacts_until,
    };
    let since = until.filter(|_| reach == Reach::Changes).and_then(|text| text.parse().ok());
    let first = phases(kind, reach, (reads, true)).first().copied().unwrap_or(Phase::Flags);
    let cursor = Cursor {
        phase: first,
        next: None,
        since,
        began,
        pages: 0,
        troubles: 0,
        restarts: 0,
        rests: false,
        went_first: true,
        reads,
        people_at: None,
        missing: Vec::new(),
        then,
    };
    let new = syncs::Sync {
        id: SyncId::new(),
        integration: integration.id,
        client: integration.client_id,
        kind,
        reach,
        status: SyncStatus::Running,
        cursor: Some(json!(cursor)),
        items_read: 0,
        items_written: 0,
        user,
    };
    if !syncs::insert(tx, &new).await? {
        return Ok(None);
    }
    patchbay_jobs::enqueue(tx, &SyncIntegration { sync: new.id }, NewJob::default()).await?;
    Ok(Some(new.id))
}

/// Begins the sync that is due by the clock, or because something is to be written.
pub(crate) async fn start_due(scope: &Scope, id: IntegrationId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    let integration = store::lock(&mut tx, id).await?;
    let now = tx.reading().now().await?;
    let Some(due) = integration.next_sync_at else { return Ok(Verdict::Done) };
    // A broken one is tried again by the clock, as long as somebody is signed in.
    let is_signed_in = store::tokens::newest(tx.reading(), id).await?.is_some_and(|stored| stored.is_active);
    if integration.paused_at.is_some() || !is_signed_in || integration.mapping().is_empty() {
        return Ok(Verdict::Done);
    }
    if due > now {
        return Ok(Verdict::Later((due - now).to_std().unwrap_or(TROUBLE)));
    }
    let Some(client) = integration.client_id else { return Ok(Verdict::Done) };
    if !store::is_active_client(tx.reading(), client).await? {
        return Ok(Verdict::Done);
    }
    if syncs::running(tx.reading(), id).await?.is_some() {
        return Ok(Verdict::Later(TROUBLE));
    }
    let config = integration.config::<CrmConfig>();
    let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let every = chrono::TimeDelta::minutes(i64::from(config.settings.every_minutes));
    let is_soon = time(&config.read_soon_at).is_some_and(|at| at <= now);
    let is_due = is_soon || time(&config.read_at).is_none_or(|at| at + every <= now);
    let reads = config.settings.every_minutes > 0 && is_due;
    let kind = if reads { SyncType::Contacts } else { SyncType::Activities };
    if is_soon {
        store::set_config(&mut tx, id, &json!(CrmConfig { read_soon_at: None, ..config.clone() })).await?;
    }
    begin(&mut tx, &integration, kind, Reach::Changes).await?;
    // Its wish is fulfilled: one that is cancelled or fails is not begun again at once. Its end sets the exact time.
    let next = (config.settings.every_minutes > 0).then(|| now + every);
    store::set_next(&mut tx, id, false, next).await?;
    tx.notify(ops::topic(id), integration.client_id);
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Takes steps of a sync for a while.
pub(crate) async fn run(scope: &Scope, id: SyncId) -> Result<Verdict, AppError> {
    let until = Instant::now() + TURN;
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let mut sync = syncs::get(&mut tx, id).await?;
    let integration = store::get(&mut tx, sync.integration).await?;
    let now = tx.now().await?;
    let Some(client) = integration.client_id else { return Ok(Verdict::Done) };
    // Paused, ended sign-in, archived client: it rests. Whoever changes that has it done again, and so does the sweep.
    let rests = integration.paused_at.is_some() || !store::is_active_client(&mut tx, client).await?;
    if sync.status != SyncStatus::Running || rests {
        return Ok(Verdict::Done);
    }
    if let Some(pause) = integration.wait_until.and_then(|until| (until - now).to_std().ok()).filter(|it| !it.is_zero())
    {
        return Ok(Verdict::Later(pause));
    }
    let config = integration.config::<CrmConfig>();
    let country = match config.settings.country.as_str() {
        "" => synced::country(&mut tx, client).await?.map(str::to_owned),
        country => Some(country.to_owned()),
    };
    drop(tx);
    let lines = integration.mapping();
    let work = Work { scope, integration: &integration, client, config, lines, country };
    let mut open = match crm::open(scope, &integration).await {
        Ok(open) => open,
        Err(lacking) => return lacks(&work, &sync, lacking).await,
    };
    let mut was_renewed = false;
    let verdict = loop {
        match step(&work, &sync, open.crm.as_ref()).await {
            Ok(Some(next)) => {
                was_renewed = false;
                sync = next;
                if sync.status != SyncStatus::Running {
                    break Verdict::Done;
                }
                if Instant::now() >= until {
                    break Verdict::Later(Duration::ZERO);
                }
            }
            Ok(None) => break Verdict::Done,
            Err(Trouble::App(error)) => return Err(error),
            Err(Trouble::Service(error)) if crm::is_token_refused(&error) && !was_renewed => {
                was_renewed = true;
                let another = tokens::refused(scope, &integration, &open.token).await;
                match another.and_then(|token| crm::with(scope, &integration, token)) {
                    Ok(renewed) => open = renewed,
                    Err(lacking) => return lacks(&work, &sync, lacking).await,
                }
            }
            Err(Trouble::Service(error)) if crm::is_token_refused(&error) => {
                tokens::ended(scope, &integration, &open.token).await?;
                return lacks(&work, &sync, Lacking::SignIn).await;
            }
            Err(Trouble::Service(error)) => break trouble(&work, &sync, &error).await?,
        }
    };
    note_limit(&work, &open).await?;
    Ok(verdict)
}

fn cursor_of(sync: &syncs::Sync) -> Result<Cursor, AppError> {
    let cursor = sync.cursor.clone().unwrap_or_default();
    serde_json::from_value(cursor).map_err(patchbay_shared::error::internal)
}

/// One step. Gives the sync as it stands afterwards; none: it is somebody else's.
async fn step(work: &Work<'_>, sync: &syncs::Sync, crm: &dyn Crm) -> Result<Option<syncs::Sync>, Trouble> {
    let cursor = cursor_of(sync)?;
    let between = activities::meanwhile(work, sync, &cursor, crm).await?;
    let ended = match cursor.phase {
        _ if !matches!(between, Step::Through) => between,
        Phase::Flags => write::flags(work, sync, crm).await?,
        Phase::Retries => retries::again(work, sync, crm).await?,
        Phase::Pages | Phase::Removed if reading_rests(crm) => {
            let resting = Cursor { rests: true, ..cursor.clone() };
            return through(work, sync, &resting).await.map_err(Trouble::App);
        }
        Phase::Pages if sync.kind == SyncType::Deals => deals::page(work, sync, &cursor, crm).await?,
        Phase::Pages if sync.kind == SyncType::Activities => activities::page(work, sync, &cursor, crm).await?,
        Phase::Removed if sync.kind == SyncType::Activities => activities::removed(work, sync, &cursor, crm).await?,
        Phase::Pages => read::page(work, sync, &cursor, crm).await?,
        Phase::Removed => read::removed(work, sync, &cursor, crm).await?,
        Phase::Contacts => write::contacts(work, sync, crm).await?,
        Phase::Calls => outcomes::calls(work, sync, crm).await?,
    };
    match ended {
        Step::NotOurs => Ok(None),
        Step::More => {
            let mut tx = work.scope.read(Action::ReadIntegrations).await?;
            Ok(Some(syncs::get(&mut tx, sync.id).await?).filter(|now| now.status == SyncStatus::Running))
        }
        Step::Through => {
            let mut tx = work.scope.read(Action::ReadIntegrations).await?;
            let now = syncs::get(&mut tx, sync.id).await?;
            drop(tx);
            let cursor = cursor_of(&now)?;
            through(work, &now, &cursor).await.map_err(Trouble::App)
        }
    }
}

/// Near the end of the day's requests only writing goes on.
fn reading_rests(crm: &dyn Crm) -> bool {
    let Some(limit) = crm.limit() else { return false };
    limit.daily_most.zip(limit.daily_left).is_some_and(|(most, left)| most > 0 && left < most / KEPT_FOR_WRITES)
}

/// A phase is through: the next one begins, or the sync is over and the next one of its round begins.
async fn through(work: &Work<'_>, sync: &syncs::Sync, cursor: &Cursor) -> Result<Option<syncs::Sync>, AppError> {
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    let now = syncs::lock(&mut tx, sync.id).await?;
    if !is_there(&now, sync) {
        return Ok(None);
    }
    let all = phases(sync.kind, sync.reach, (cursor.reads, cursor.went_first));
    let after = all.iter().position(|phase| *phase == cursor.phase).and_then(|at| all.get(at + 1));
    if let Some(phase) = after {
        let next = Cursor { phase: *phase, next: None, pages: 0, restarts: 0, troubles: 0, ..cursor.clone() };
        syncs::advance(&mut tx, sync.id, &json!(next), syncs::Tally::default()).await?;
        tx.commit().await?;
        let cursor = Some(json!(next));
        return Ok(Some(syncs::Sync { cursor, ..now }));
    }
    finish(&mut tx, work, &now, cursor).await?;
    tx.commit().await?;
    Ok(Some(syncs::Sync { status: SyncStatus::Success, ..now }))
}

/// A step is written down. False: the sync is somebody else's by now, or over, and nothing of the step may stay.
pub(crate) async fn holds(tx: &mut WriteTx, sync: &syncs::Sync) -> Result<bool, AppError> {
    Ok(is_there(&syncs::lock(tx, sync.id).await?, sync))
}

/// Whether it still runs and stands where it stood. That trouble has passed meanwhile is no other place.
fn is_there(now: &syncs::Sync, then: &syncs::Sync) -> bool {
    let place = |sync| cursor_of(sync).map(|cursor| Cursor { troubles: 0, ..cursor });
    now.status == SyncStatus::Running && matches!((place(now), place(then)), (Ok(now), Ok(then)) if now == then)
}

/// Counts, records and the place of a step.
pub(crate) async fn written(
    tx: &mut WriteTx,
    work: &Work<'_>,
    sync: &syncs::Sync,
    cursor: &Cursor,
    tally: syncs::Tally,
    entries: &[syncs::Entry],
) -> Result<(), AppError> {
    let cursor = Cursor { troubles: 0, ..cursor.clone() };
    syncs::advance(tx, sync.id, &json!(cursor), tally).await?;
    syncs::insert_entries(tx, sync, entries).await?;
    tx.notify(ops::topic(work.integration.id), work.integration.client_id);
    Ok(())
}

/// The place of a step that only takes what waits.
pub(crate) fn here(sync: &syncs::Sync) -> Result<Cursor, AppError> {
    cursor_of(sync)
}

/// Whether a list has no end.
pub(crate) fn is_endless(cursor: &Cursor, next: Option<&str>) -> bool {
    cursor.pages >= MOST_PAGES || (next.is_some() && next == cursor.next.as_deref())
}

pub(crate) const ENDLESS: &str =
    "The service’s list leads in a circle, so nobody can say that it is complete. What was read is kept.";
