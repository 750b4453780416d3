//! Usage by day: which days of which clients changed, the rows of billing_usage that are made of them, and what these add up to.
//!
//! The surprising part: whoever changes a call only says so (`touch`). A worker makes the rows anew (`keep_all`), and until it has, pages
//! count the days that were touched from the calls themselves (`read`), with the same statement. So a page is never behind, and making
//! all rows anew is nothing but touching every day.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::store::cells::{self, Kept, Span};
use super::store::texts;
use super::store::touches::{self, Touch};
use crate::model::{Period, Sums};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, ReadTx, Scope, WriteTx};
use patchbay_shared::ids::{AgentId, ClientId};
use patchbay_shared::{AppError, zone};

pub use super::store::cells::ModelCell;

/// Counting what everybody may read changes nothing but how soon it is read.
const UPKEEP: Machine = Machine { name: "usage by day", actions: &[Action::ReadUsage] };
/// Moments that are taken at a time.
const MOST: i64 = 20_000;

/// A call, an answer of a model or a text message that counts differently now: whose, and the moment that it counts under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Touched {
    pub client_id: Option<ClientId>,
    pub at: DateTime<Utc>,
}

/// Says, in the transaction that changed them, that calls or answers count differently now. One statement that only adds rows, so that
/// writers never wait for each other; one row for each client and quarter of an hour, in which no day of any zone begins or ends.
/// Whoever moves a call from one client or time to another says both.
pub async fn touch(tx: &mut WriteTx, touched: &[Touched]) -> Result<(), AppError> {
    let mut quarters: Vec<(Option<ClientId>, i64)> =
        touched.iter().map(|touched| (touched.client_id, touched.at.timestamp().div_euclid(900) * 900)).collect();
    quarters.sort_unstable();
    quarters.dedup();
    if quarters.is_empty() {
        return Ok(());
    }
    touches::add(tx, &quarters).await
}

/// Says that every day of the client counts differently: its zone changed. None: of what belongs to no client.
pub async fn touch_all_days(tx: &mut WriteTx, client: Option<ClientId>) -> Result<(), AppError> {
    touches::add_whole(tx, client).await
}

/// Makes every row of every workspace anew, at the command line. What is right already stays as it is. Gives the number of workspaces.
pub async fn rebuild(db: &Db) -> Result<usize, AppError> {
    let workspaces = touches::every_workspace(db).await?;
    for id in &workspaces {
        let scope = Scope::of_operator(db.clone(), *id, UPKEEP);
        let mut tx = scope.write(Action::ReadUsage).await?;
        for (client, _) in touches::zones(tx.reading(), None).await? {
            touches::add_whole(&mut tx, client).await?;
        }
        tx.commit().await?;
        keep(&scope, Turn::Wait).await?;
    }
    Ok(workspaces.len())
}

/// Makes the rows of all days that were touched, in every workspace.
pub async fn keep_all(db: &Db) -> Result<(), AppError> {
    for id in touches::workspaces(db).await? {
        // One agency's trouble is not the others'.
        if let Err(error) = keep(&Scope::of_upkeep(db.clone(), id, UPKEEP), Turn::LeaveToOther).await {
            tracing::warn!(workspace_id = %id, cause = %error, "usage by day will be counted later; pages count it themselves meanwhile");
        }
    }
    Ok(())
}

/// What to do while another worker counts the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Wait,
    LeaveToOther,
}

/// The same for one workspace, until all is made that was touched before. Two workers never count the same workspace: the one that counted first could write
/// last.
async fn keep(scope: &Scope, turn: Turn) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(Action::ReadUsage).await?;
        if !touches::lock(&mut tx, turn == Turn::Wait).await? {
            return Ok(());
        }
        // First what was touched, then the zones, then the calls: each sees at least what the one before it was told of.
        let taken = match touches::take_whole(&mut tx).await? {
            Some(whole) => vec![whole],
            None => touches::take(&mut tx, MOST).await?,
        };
        if taken.is_empty() {
            return Ok(());
        }
        // What comes meanwhile is for the next round: else a busy workspace would keep the others waiting.
        let is_last = taken.len() < MOST as usize && taken.iter().all(|(_, at)| at.is_some());
        let zones = Zones::read(tx.reading(), None).await?;
        let spans = spans(tx.reading(), &zones, taken).await?;
        let made = cells::made(tx.reading(), &spans).await?;
        cells::keep(&mut tx, &spans, &made).await?;
        let by_model = cells::made_by_model(tx.reading(), &spans).await?;
        cells::keep_by_model(&mut tx, &spans, &by_model).await?;
        let of_texts = texts::made(tx.reading(), &spans).await?;
        texts::keep(&mut tx, &spans, &of_texts).await?;
        tx.commit().await?;
        if is_last {
            return Ok(());
        }
    }
}

/// The zone of each client's days, and, under none, of what belongs to no client.
struct Zones(HashMap<Option<ClientId>, String>);

impl Zones {
    async fn read(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Self, AppError> {
        Ok(Self(touches::zones(tx, client).await?.into_iter().collect()))
    }
}

/// The first and the last day that the database's calendar and this one's both have.
fn ever() -> Period {
    let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    Period { first: day(1970), last: day(9999) }
}

/// The days that moments lie in, each once, neighbours together.
async fn spans(tx: &mut ReadTx, zones: &Zones, touches: Vec<Touch>) -> Result<Vec<Span>, AppError> {
    let mut days: BTreeMap<Option<ClientId>, Vec<Period>> = BTreeMap::new();
    let mut moments = Vec::new();
    for (client, at) in touches {
        let Some(zone) = zones.0.get(&client) else { continue };
        match at {
            Some(at) => moments.push((client, at, zone.as_str())),
            None => days.entry(client).or_default().push(ever()),
        }
    }
    let asked: Vec<(DateTime<Utc>, &str)> = moments.iter().map(|(_, at, zone)| (*at, *zone)).collect();
    let found = touches::days(tx.conn(), &asked).await?;
    for ((client, ..), day) in moments.iter().zip(found) {
        days.entry(*client).or_default().push(Period { first: day, last: day });
    }
    let mut spans = Vec::new();
    for (client, mut periods) in days {
        periods.sort_unstable_by_key(|period| period.first);
        let mut joined: Vec<Period> = Vec::new();
        for period in periods {
            match joined.last_mut() {
                Some(open) if period.first <= open.last.succ_opt().unwrap_or(open.last) => {
                    open.last = open.last.max(period.last);
                }
                _ => joined.push(period),
            }
        }
        let zone = zones.0.get(&client).cloned().unwrap_or_default();
        spans.extend(joined.into_iter().map(|Period { first, last }| Span {
            client,
            zone: zone.clone(),
            first,
            last,
            until: None,
        }));
    }
    Ok(spans)
}

/// The zone of each client's days, or of the one that is named, and, under none, of what belongs to no client.
pub async fn zones(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(Option<ClientId>, String)>, AppError> {
    touches::zones(tx, client).await
}

/// What is asked for: the days of one client, or of all.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub client: Option<ClientId>,
    pub period: Period,
    /// Only what was so many days before now, to the minute, in each client's zone: what days that are not over are compared with.
    pub days_ago: Option<u64>,
    /// Into how many equal parts (the last may be shorter) what is by agent is divided at most.
    pub parts: u64,
}

/// What days come to.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub days: BTreeMap<NaiveDate, Sums>,
    /// By client and agent, each by part of the period.
    pub agents: BTreeMap<(Option<ClientId>, Option<AgentId>), Vec<Sums>>,
}

impl Found {
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.days.values().for_each(|day| total.add(day));
        total
    }
}

/// What the days come to: from their rows, and where they were touched since from the calls.
pub async fn read(tx: &mut ReadTx, asked: Asked) -> Result<Found, AppError> {
    let step = asked.period.len().div_ceil(asked.parts.max(1)).max(1);
    let parts = usize::try_from(asked.period.len().div_ceil(step)).unwrap_or(1);
    let (kept, live) = sources(tx, asked).await?;
    let mut found = Found::default();
    let mut add_to = |client, agent, part: usize, sums: &Sums| {
        let row = found.agents.entry((client, agent)).or_insert_with(|| vec![Sums::default(); parts]);
        if let Some(slot) = row.get_mut(part) {
            slot.add(sums);
        }
    };
    let mut days: BTreeMap<NaiveDate, Sums> = BTreeMap::new();
    if let Some(kept) = kept {
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        for row in cells::kept(tx, asked.client, (kept.first, kept.last), step, &live).await? {
            match row {
                Kept::Day(day, sums) => days.entry(day).or_default().add(&sums),
                Kept::Agent(client, agent, part, sums) => add_to(client, agent, part, &sums),
            }
        }
    }
    for cell in cells::made(tx, &live).await? {
        days.entry(cell.day).or_default().add(&cell.sums);
        let at = (cell.day - asked.period.first).num_days().unsigned_abs();
        add_to(cell.client, cell.agent, usize::try_from(at / step).unwrap_or_default(), &cell.sums);
    }
    found.days = days;
    Ok(found)
}

/// What models did in the days, by model and purpose, in no order.
pub async fn read_models(tx: &mut ReadTx, asked: Asked) -> Result<Vec<ModelCell>, AppError> {
    let (kept, live) = sources(tx, asked).await?;
    let mut found: BTreeMap<(String, String), ModelCell> = BTreeMap::new();
    let mut rows = match kept {
        Some(kept) => cells::kept_by_model(tx, asked.client, (kept.first, kept.last), &live).await?,
        None => Vec::new(),
    };
    rows.extend(cells::made_by_model(tx, &live).await?);
    for row in rows {
        match found.entry((row.model.clone(), row.purpose.clone())) {
            std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(row)),
            std::collections::btree_map::Entry::Occupied(mut place) => {
                let sum = place.get_mut();
                sum.answers += row.answers;
                sum.prompt_tokens += row.prompt_tokens;
                sum.completion_tokens += row.completion_tokens;
                sum.is_estimated |= row.is_estimated;
                sum.unpriced += row.unpriced;
                sum.cost = match (sum.cost, row.cost) {
                    (Some(one), Some(other)) => Some(one + other),
                    (one, other) => one.or(other),
                };
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Which days are read from their rows, if any, and which are counted. Zones are read before what was touched: a zone that changes in
/// between is seen whole or not at all.
pub(super) async fn sources(tx: &mut ReadTx, asked: Asked) -> Result<(Option<Period>, Vec<Span>), AppError> {
    let zones = Zones::read(tx, asked.client).await?;
    let mut touches = touches::list(tx, asked.client).await?;
    touches.retain(|(client, _)| asked.client.is_none() || *client == asked.client);
    let kept = asked.period;
    // Where the days end within one, from which day on each client's are counted: a zone may be a day behind the others.
    let mut cuts: HashMap<Option<ClientId>, Span> = HashMap::new();
    if let Some(days) = asked.days_ago {
        let now = tx.now().await?;
        for (client, name) in &zones.0 {
            let local = now.with_timezone(&zone::zone(name)).naive_local();
            let day = local.date().checked_sub_days(Days::new(days)).unwrap_or(local.date());
            let until = Some(zone::instant(day, local.time(), zone::zone(name)));
            let span = Span { client: *client, zone: name.clone(), first: day.max(kept.first), last: kept.last, until };
            cuts.insert(*client, span);
        }
    }
    let mut live = spans(tx, &zones, touches).await?;
    live.retain_mut(|span| {
        let cut = cuts.get(&span.client).and_then(|cut| cut.first.pred_opt());
        (span.first, span.last) = (span.first.max(kept.first), span.last.min(cut.unwrap_or(kept.last)));
        span.first <= span.last
    });
    live.extend(cuts.into_values());
    Ok(((!kept.is_empty()).then_some(kept), live))
}
