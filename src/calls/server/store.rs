//! Statements of the list. `store::detail` reads one call, `store::enrichment` what the workers write,
//! `store::folded` what news of the provider writes.

mod asked_back;
pub(crate) mod by_version;
mod callers;
mod choices;
pub(crate) mod counted;
pub mod detail;
pub(crate) mod earlier;
pub(crate) mod enrichment;
pub(crate) mod folded;
pub(crate) mod outcomes;
pub(crate) mod past;
pub(crate) mod stuck;
pub(crate) mod told;
pub(crate) mod transfers;
pub mod trunks;
mod words;

pub use callers::{hold_callers, lines_in_use, link_caller, link_callers, missed_words};
pub(crate) use choices::choices;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::ContactOutcome;
use crate::model::{
    CallDirection, CallQuery, CallResult, CallRow, CallSource, CallState, CallView, DialState, Disposition,
    ResultFilter,
};
use patchbay_access::server::ReadTx;
use patchbay_access::{Action, Field};
use patchbay_metering::server::own_days::{OwnDays, own_days};
use patchbay_shared::ids::{CallId, ClientId, ContactId};
use patchbay_shared::{AppError, Cursor, Money, Page, money, read_time_key, time_key, zone};

/// Rows on a page of the list.
pub(crate) const PAGE: usize = 25;
/// Live calls that are pinned on top. Older ones have their place among the others.
const PINNED: usize = 50;
/// Counts beside the views stop here.
const COUNTED: i64 = 1000;

/// A query after its checks, ready to bind.
struct Narrowed {
    view: CallView,
    client: Option<ClientId>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    own_days: Option<OwnDays>,
    /// The calls among which the rows are: those that the words stand in, or in which somebody asked for a person.
    hits: Option<Vec<Uuid>>,
    /// Calls in which a call-back was asked for that stands so. With `hits` they are among those already.
    call_back: Option<String>,
    /// The last of the live calls that stand apart from the list of all; none: all of them do.
    pinned_to: Option<(DateTime<Utc>, Uuid)>,
    agent: Option<Uuid>,
    campaign: Option<Uuid>,
    batch: Option<Uuid>,
    contact: Option<Uuid>,
    prompt: Option<Uuid>,
    version: Option<i32>,
    direction: Option<String>,
    /// One result, which an index may know.
    result: Option<String>,
    /// Any of several; empty for every call that has ended.
    results: Option<Vec<String>>,
    goal: Option<bool>,
    /// The stored outcome, and whether a person must have answered.
    outcome: Option<String>,
    answered: Option<bool>,
    unpriced: bool,
    imported: Option<bool>,
    sentiment: Option<String>,
    reviewed: Option<bool>,
}

/// A page of calls, newest first. In the view of all calls those that go on now stand apart, in the second list: it is filled for
/// the first page only, and only if `with_live`. An id in the query that is no id matches nothing.
pub async fn list(
    tx: &mut ReadTx,
    query: &CallQuery,
    limit: usize,
    with_live: bool,
) -> Result<(Page<CallRow>, Vec<CallRow>), AppError> {
    let mut narrowed = narrow(tx, query).await?;
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let mut live = Vec::new();
    if with_live && narrowed.view == CallView::All {
        narrowed.view = CallView::Live;
        live = rows(tx, &narrowed, None, PINNED as i64).await?;
        narrowed.view = CallView::All;
        narrowed.pinned_to = live.get(PINNED - 1).and_then(|last| read_time_key(&last.key));
    }
    let found = rows(tx, &narrowed, cursor.as_ref(), limit as i64 + 1).await?;
    let page = Page::cut(found, limit, cursor.as_ref(), |row| row.key.clone());
    if cursor.is_some() {
        live.clear();
    }
    Ok((page, live))
}

/// The calls right before (newer) and after (older) a row of the list.
pub(crate) async fn neighbours(
    tx: &mut ReadTx,
    query: &CallQuery,
    key: &str,
) -> Result<(Option<CallId>, Option<CallId>), AppError> {
    let narrowed = narrow(tx, query).await?;
    let mut found = [None, None];
    for (place, older) in [false, true].into_iter().enumerate() {
        let cursor = Cursor { older, key: key.to_owned() };
        found[place] = rows(tx, &narrowed, Some(&cursor), 1).await?.first().map(|row| row.id);
    }
    Ok((found[0], found[1]))
}

/// How many calls each view holds, up to a thousand. The order makes them come from an index and not from the whole table.
pub(crate) async fn counts(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(CallView, String)>, AppError> {
    let client = client.map(|id| id.0);
    plan_for_values(tx).await?;
    tx.read_in_order().await?;
    let row = sqlx::query!(
        r#"select
             (select count(*) from (select from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                order by started_at desc, id desc limit $3) n) as "all!",
             (select count(*) from (select from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                and result is null limit $3) n) as "live!",
             (select count(*) from (select from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                and reviewed_at is null and ended_at is not null order by started_at desc, id desc limit $3) n) as "review!",
             (select count(*) from (select from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                and (analysis_status = 'failed' or transcript_status = 'failed' or error is not null) limit $3) n) as "problems!",
             (select count(*) from (select from call_analyses a join calls c on c.workspace_id = $1 and c.id = a.call_id
                where a.workspace_id = $1 and a.result ->> 'escalation' = 'true' and a.created_at > now() - interval '7 days'
                and c.reviewed_at is null and ($2::uuid is null or c.client_id = $2) limit $3) n) as "person!",
             (select count(*) from (select from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                and missed_reason is not null and joined_at is null and ended_at is not null and reviewed_at is null limit $3) n) as "missed!""#,
        tx.workspace_uuid(),
        client,
        COUNTED + 1
    )
    .fetch_one(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    let text = |count: i64| {
        if count > COUNTED { format!("{}+", money::count_text(COUNTED)) } else { money::count_text(count) }
    };
    Ok(vec![
        (CallView::All, text(row.all)),
        (CallView::Live, text(row.live)),
        (CallView::Review, text(row.review)),
        (CallView::Person, text(row.person)),
        (CallView::Missed, text(row.missed)),
        (CallView::Problems, text(row.problems)),
    ])
}

/// The client that the list is narrowed to: a client's people see their own, whatever the address says.
pub(crate) fn client_of(tx: &ReadTx, query: &CallQuery) -> Result<Option<ClientId>, AppError> {
    match (tx.scope().client_id(), &query.client) {
        (Some(own), _) => Ok(Some(own)),
        (None, Some(id)) => Ok(Some(id.parse()?)),
        (None, None) => Ok(None),
    }
}

async fn narrow(tx: &mut ReadTx, query: &CallQuery) -> Result<Narrowed, AppError> {
    // A page that names something that is no id shows no calls, and not all of them.
    let id = |text: &Option<String>| text.as_deref().map(|text| text.parse::<Uuid>().unwrap_or_default());
    let client = client_of(tx, query)?;
    let (span, own_days) = if query.zone.as_deref() == Some(CallQuery::OWN_ZONE) {
        own_days(tx, client, query.from.as_deref(), query.to.as_deref()).await?
    } else {
        let zone = query.zone.as_deref().map_or_else(|| tx.scope().zone(), zone::zone);
        (zone::days(query.from.as_deref(), query.to.as_deref(), zone)?, None)
    };
    let found = match query.q.as_deref() {
        Some(words) => Some(words::hits(tx, client, words).await?),
        None => None,
    };
    let asked = match query.call_view() {
        CallView::Person => Some(words::asked_for_a_person(tx, client).await?),
        _ => None,
    };
    let hits = match (found, asked) {
        (Some(found), Some(asked)) => Some(found.into_iter().filter(|id| asked.contains(id)).collect()),
        (found, asked) => found.or(asked),
    };
    let hits = match (query.call_back.as_deref(), hits) {
        (Some(word), Some(hits)) => Some(asked_back::among(tx, &hits, word).await?),
        (_, hits) => hits,
    };
    // So does one that names a result or an outcome that there is not.
    let filter = query.result.as_deref().map(|word| word.parse::<ResultFilter>().map(ResultFilter::results));
    let (result, results) = match filter {
        None => (None, None),
        Some(Ok(several)) if several.len() != 1 => {
            (None, Some(several.iter().map(|result| result.as_str().to_owned()).collect()))
        }
        Some(Ok(one)) => (one.first().map(|result| result.as_str().to_owned()), None),
        Some(Err(_)) => (Some(String::new()), None),
    };
    let yes = |word: &Option<String>| match word.as_deref() {
        None => Ok(None),
        Some("yes") => Ok(Some(true)),
        Some("no") => Ok(Some(false)),
        Some(_) => Err(()),
    };
    let (goal, reviewed) = (yes(&query.goal), yes(&query.reviewed));
    let is_odd = goal.is_err() || reviewed.is_err();
    let result = if is_odd { Some(String::new()) } else { result };
    let (goal, reviewed) = (goal.unwrap_or_default(), reviewed.unwrap_or_default());
    let disposition = query.outcome.as_deref().map(|word| word.parse::<Disposition>().map(Disposition::stored));
    let (outcome, answered) = match disposition {
        None => (None, None),
        Some(Ok((outcome, answered))) => (Some(outcome.as_str().to_owned()), answered),
        Some(Err(_)) => (Some(String::new()), None),
    };
    // How a call came is for the agency; a word that is none matches nothing, as elsewhere.
    let source = query.source.as_deref().filter(|_| tx.scope().sees(Field::Provider)).map(str::parse::<CallSource>);
    let (imported, result) = match source {
        None => (None, result),
        Some(Ok(source)) => (Some(source == CallSource::HistoricalSync), result),
        Some(Err(_)) => (None, Some(String::new())),
    };
    // So is what the agent was told.
    let told = |text: &Option<String>| text.clone().filter(|_| tx.scope().may(Action::ReadWorkshop));
    let (prompt, version) =
        (id(&told(&query.prompt)), told(&query.version).map(|text| text.parse().unwrap_or_default()));
    Ok(Narrowed {
        view: query.call_view(),
        client,
        from: span.from,
        to: span.before,
        own_days,
        call_back: query.call_back.clone().filter(|_| hits.is_none()),
        hits,
        pinned_to: None,
        agent: id(&query.agent),
        campaign: id(&query.campaign),
        batch: id(&query.batch),
        contact: id(&query.contact),
        prompt,
        version,
        direction: query.direction.clone(),
        result,
        results,
        goal,
        outcome,
        answered,
        unpriced: query.priced.is_some(),
        imported,
        sentiment: query.sentiment.clone(),
        reviewed,
    })
}

/// For the rest of the transaction: a filter that is not set must cost nothing, so each statement is planned for the values it has.
async fn plan_for_values(tx: &mut ReadTx) -> Result<(), AppError> {
    sqlx::raw_sql(
        "set local plan_cache_mode = force_custom_plan; set local jit = off; set local max_parallel_workers_per_gather = 0",
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn rows(tx: &mut ReadTx, only: &Narrowed, cursor: Option<&Cursor>, limit: i64) -> Result<Vec<CallRow>, AppError> {
    match only.call_back.as_deref() {
        // A call-back is asked for in a call that is over.
        Some(_) if only.view == CallView::Live => Ok(Vec::new()),
        Some(status) => asked_back::rows(tx, only, status, cursor, limit).await,
        None => rows_among(tx, only, only.hits.as_deref(), cursor, limit).await,
    }
}

/// `hits`: the calls among which the rows are; none: all.
async fn rows_among(
    tx: &mut ReadTx,
    only: &Narrowed,
    hits: Option<&[Uuid]>,
    cursor: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<CallRow>, AppError> {
    let newer = cursor.is_some_and(|cursor| !cursor.older);
    let place = cursor.and_then(|cursor| read_time_key(&cursor.key));
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let (scope, sees_cost) = (tx.scope().clone(), tx.scope().sees(Field::Cost));
    // What a search found is few: it is looked up by id and sorted.
    plan_for_values(tx).await?;
    if hits.is_none() {
        tx.read_in_order().await?;
    }
    let found = sqlx::query!(
        r#"select c.id as "id: CallId", c.direction as "direction: CallDirection", c.dial_state as "dial_state: DialState",
                  c."from", c."to", c.contact_name, c.started_at, c.joined_at, c.duration, c.ended_at, c.missed_reason,
                  c.contact_id as "contact_id: ContactId", c.client_id as "client_id: ClientId",
                  c.result as "result: CallResult", c.outcome as "outcome: ContactOutcome", c.goal_reached, c.sentiment,
                  c.cost as "cost!", c.is_unpriced as "is_unpriced!", c.reviewed_at is not null as "is_reviewed!",
                  coalesce(c.transcript_status = 'failed' or c.analysis_status = 'failed', false) as "needs_help!",
                  a.name as "agent?", k.name as "client?"
           from (
             select * from calls c
             where c.workspace_id = $1
               and ($2::uuid is null or c.client_id = $2)
               and ($3::timestamptz is null or c.started_at >= $3) and ($4::timestamptz is null or c.started_at < $4)
               and ($5::uuid[] is null or c.id = any($5))
               and ($6::uuid is null or c.agent_id = $6) and ($7::uuid is null or c.campaign_id = $7)
               and ($8::uuid is null or c.batch_id = $8) and ($9::uuid is null or c.contact_id = $9)
               and ($31::uuid is null or c.prompt_id = $31) and ($32::int is null or c.prompt_version = $32)
               and ($10::text is null or c.direction::text = $10) and ($11::text is null or c.outcome::text = $11)
               and ($12::text is null or c.sentiment = $12)
               and ($13::boolean is null or (c.reviewed_at is not null) = $13)
               and ($14::text <> 'all' or c.result is not null or ($24::timestamptz is not null and (c.started_at, c.id) < ($24, $25::uuid)))
               and ($14::text <> 'live' or c.result is null)
               and ($19::text is null or c.result = $19)
               and ($20::text[] is null or (c.result is not null and (cardinality($20) = 0 or c.result = any($20))))
               and ($21::boolean is null or (c.result = 'answered' and coalesce(c.goal_reached, false) = $21))
               and (not coalesce($21::boolean, false) or c.goal_reached)
               and ($22::boolean is null or (c.result = 'answered') = $22)
               and (not $23::boolean or c.is_unpriced)
               and ($30::boolean is null or (c.source = 'historical_sync') = $30)
               and ($26::text[] is null or exists (
                 select from unnest($26, $27::timestamptz[], $28::timestamptz[]) z (zone, from_at, before_at)
                 where c.started_at >= z.from_at and c.started_at < z.before_at and z.zone = coalesce(
                   (select k.timezone from clients k where k.workspace_id = $1 and k.id = c.client_id), $29)))
               and ($14::text <> 'review' or (c.reviewed_at is null and c.ended_at is not null))
               and ($14::text <> 'missed' or (c.missed_reason is not null and c.joined_at is null and c.ended_at is not null and c.reviewed_at is null))
               and ($14::text <> 'problems' or (c.analysis_status = 'failed' or c.transcript_status = 'failed' or c.error is not null))
               and ($15::timestamptz is null or case when $17 then (c.started_at, c.id) > ($15, $16::uuid)
                                                     else (c.started_at, c.id) < ($15, $16::uuid) end)
             order by case when not $17 then c.started_at end desc, case when not $17 then c.id end desc,
                      case when $17 then c.started_at end, case when $17 then c.id end
             limit $18
           ) c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join clients k on k.workspace_id = $1 and k.id = c.client_id
           order by case when not $17 then c.started_at end desc, case when not $17 then c.id end desc,
                    case when $17 then c.started_at end, case when $17 then c.id end"#,
        tx.workspace_uuid(),
        only.client.map(|id| id.0),
        only.from,
        only.to,
        hits,
        only.agent,
        only.campaign,
        only.batch,
        only.contact,
        only.direction,
        only.outcome,
        only.sentiment,
        only.reviewed,
        only.view.as_str(),
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        newer,
        limit,
        only.result,
        only.results.as_deref(),
        only.goal,
        only.answered,
        only.unpriced,
        only.pinned_to.map(|(at, _)| at),
        only.pinned_to.map(|(_, id)| id),
        only.own_days.as_ref().map(|own| &own.zones[..]),
        only.own_days.as_ref().map(|own| &own.from[..]),
        only.own_days.as_ref().map(|own| &own.before[..]),
        only.own_days.as_ref().map(|own| own.agency.as_str()),
        only.imported,
        only.prompt,
        only.version,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    Ok(found
        .into_iter()
        .map(|row| {
            let state = CallState::of(row.result, row.dial_state, row.joined_at.is_some());
            let since = row.joined_at.unwrap_or(row.started_at);
            let outward = row.direction == CallDirection::Outbound;
            let whose = (row.contact_id, row.client_id);
            CallRow {
                missed: missed_words(&scope, row.missed_reason.as_deref(), row.joined_at, row.ended_at),
                add_contact: callers::add_address(&scope, row.direction, whose, row.from.as_deref()),
                id: row.id,
                state,
                started: zone::brief(row.started_at, now, zone),
                key: time_key(row.started_at, row.id.0),
                since_ms: state.is_open().then(|| since.timestamp_millis()),
                seconds: if state.is_open() {
                    Some((now - since).num_seconds().max(0))
                } else {
                    row.duration.map(i64::from)
                },
                contact: row.contact_name,
                number: if outward { row.to } else { row.from },
                agent: row.agent,
                client: row.client,
                direction: row.direction,
                outcome: row.outcome,
                goal_reached: row.goal_reached,
                sentiment: row.sentiment.as_deref().and_then(|word| word.parse().ok()),
                cost: (sees_cost && !row.is_unpriced && !state.is_open()).then_some(Money(row.cost)),
                is_unpriced: sees_cost && row.is_unpriced,
                is_reviewed: row.is_reviewed,
                needs_help: row.needs_help,
            }
        })
        .collect())
}
