//! Statements about runs. `logs` has those about their steps, `live` makes them of calls, `errors` is about what failed.

pub(crate) mod errors;
pub(crate) mod live;
pub(crate) mod logs;
pub(crate) mod one;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::record::{NewRun, Source};
use crate::model::{RunQuery, RunRow, RunStatus, RunType, Trigger};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, RunId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::exact;
use patchbay_shared::{AppError, Cursor, Money, Page, read_time_key, time_key, zone};

/// Runs that are searched for words in what they are called and what went wrong: the newest.
const SEARCHED: i64 = 5000;
/// Agents in a filter.
const MOST_AGENTS: i64 = 300;

pub(crate) async fn insert(tx: &mut WriteTx, new: &NewRun<'_>, source: Option<Source>) -> Result<(), AppError> {
    let (kind, schedule, trigger) = match source {
        None => (RunType::TestCall, None, None),
        Some(Source::Schedule(id)) => (RunType::CronJob, Some(id.0), None),
        Some(Source::Trigger(id)) => (RunType::Webhook, None, Some(id.0)),
    };
    sqlx::query!(
        "insert into agent_runs (workspace_id, id, agent_id, client_id, run_type, trigger, title, started_by, prompt_version, started_at,
                                 schedule_id, trigger_id)
         values ($1, $2, $3, $4, $9, $5, $6, $7, $8, now(), $10, $11) on conflict (workspace_id, id) do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.agent.0,
        new.client.map(|id| id.0),
        new.trigger.as_str(),
        new.title,
        new.started_by.map(|id| id.0),
        new.prompt_version,
        kind.as_str(),
        schedule,
        trigger,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a run has ended, and whether it has a step. Errors: `NotFound`.
pub(crate) async fn progress(tx: &mut ReadTx, id: RunId) -> Result<(bool, bool), AppError> {
    let row = sqlx::query!(
        r#"select r.completed_at is not null as "has_ended!",
                  exists (select from run_logs l where l.workspace_id = $1 and l.run_id = r.id) as "has_begun!"
           from agent_runs r where r.workspace_id = $1 and r.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.has_ended, row.has_begun))
}

pub(crate) async fn finish(tx: &mut WriteTx, id: RunId, failure: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_runs set completed_at = clock_timestamp(), is_failed = $3::text is not null, error = coalesce($3, error)
         where workspace_id = $1 and id = $2 and completed_at is null",
        tx.workspace_uuid(),
        id.0,
        failure,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
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

/// Runs in whose call the words stand, or that are called so, or in which that went wrong.
async fn hits(tx: &mut ReadTx, client: Option<Uuid>, words: &str) -> Result<Vec<Uuid>, AppError> {
    let words: String = words.chars().filter(|letter| *letter != '\0').take(200).collect();
    plan_for_values(tx).await?;
    let mut found = sqlx::query_scalar!(
        r#"select found.id as "id!" from (
             select search_call_messages($2, 2000) as id
             union
             select c.id from search_contacts($2, 500, $3) person cross join lateral (
               select c.id from calls c where c.workspace_id = $1 and c.contact_id = person
               order by c.started_at desc, c.id desc limit 20) c
           ) found"#,
        tx.workspace_uuid(),
        words,
        client
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_in_order().await?;
    let near = sqlx::query_scalar!(
        "select near.id from (
           select r.id, r.title, r.error from agent_runs r
           where r.workspace_id = $1 and ($2::uuid is null or r.client_id = $2)
           order by r.started_at desc, r.id desc limit $4) near
         where near.title ilike $3 or near.error ilike $3",
        tx.workspace_uuid(),
        client,
        like(Some(&words)),
        SEARCHED
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    found.extend(near);
    Ok(found)
}

/// A page of runs, newest first. An id or a word that is none matches nothing.
pub(crate) async fn list(tx: &mut ReadTx, query: &RunQuery, limit: usize) -> Result<Page<RunRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let id = |text: &Option<String>| filled(text.as_deref()).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let (client, agent) = (id(&query.client), id(&query.agent));
    let (schedule, trigger) = (id(&query.schedule), id(&query.trigger));
    let span = zone::days(query.from.as_deref(), query.to.as_deref(), zone)?;
    let hits = match filled(query.q.as_deref()) {
        Some(words) => Some(hits(tx, client, &words).await?),
        None => None,
    };
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place: Option<(DateTime<Utc>, Uuid)> = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let oldest_first = query.sort.as_deref() == Some("started");
    let upwards = cursor.as_ref().is_some_and(|cursor| !cursor.older) != oldest_first;
    plan_for_values(tx).await?;
    // What a search found is few: it is looked up by id and sorted.
    if hits.is_none() {
        tx.read_in_order().await?;
    }
    let found = sqlx::query!(
        r#"select r.id, r.run_type as "kind: RunType", r.trigger as "trigger: Trigger", r.status as "status: RunStatus", r.title,
                  r.error, r.duration_ms, r.started_at, r.agent_id, a.name as "agent?", k.name as "client?",
                  c.contact_name as "contact?", case when c.direction = 'inbound' then c."from" else c."to" end as number,
                  coalesce(c.cost, r.cost) as "cost!", coalesce(c.is_unpriced, r.is_unpriced) as "is_unpriced!"
           from (
             select * from agent_runs r
             where r.workspace_id = $1
               and ($2::uuid is null or r.client_id = $2) and ($3::uuid is null or r.agent_id = $3)
               and ($4::timestamptz is null or r.started_at >= $4) and ($5::timestamptz is null or r.started_at < $5)
               and ($6::text is null or r.run_type = $6) and ($7::text is null or r.status = $7)
               and ($8::uuid[] is null or r.id = any($8))
               and ($13::uuid is null or r.schedule_id = $13) and ($14::uuid is null or r.trigger_id = $14)
               and ($9::timestamptz is null or case when $11 then (r.started_at, r.id) > ($9, $10::uuid)
                                                    else (r.started_at, r.id) < ($9, $10::uuid) end)
             order by case when not $11 then r.started_at end desc, case when not $11 then r.id end desc,
                      case when $11 then r.started_at end, case when $11 then r.id end
             limit $12
           ) r
           left join calls c on c.workspace_id = $1 and c.id = r.call_id
           left join agents a on a.workspace_id = $1 and a.id = r.agent_id
           left join clients k on k.workspace_id = $1 and k.id = r.client_id
           order by case when not $11 then r.started_at end desc, case when not $11 then r.id end desc,
                    case when $11 then r.started_at end, case when $11 then r.id end"#,
        tx.workspace_uuid(),
        client,
        agent,
        span.from,
        span.before,
        filled(query.kind.as_deref()),
        filled(query.status.as_deref()),
        hits.as_deref(),
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        upwards,
        limit as i64 + 1,
        schedule,
        trigger,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    let rows: Vec<(RunRow, String)> = found
        .into_iter()
        .map(|row| {
            let is_known = !row.is_unpriced && row.status != RunStatus::Running;
            let key = time_key(row.started_at, row.id);
            let run = RunRow {
                id: RunId(row.id),
                title: one::title(row.title, row.contact, row.number),
                kind: row.kind,
                status: row.status,
                agent: row.agent_id.map(AgentId).zip(row.agent),
                client: row.client,
                trigger: row.trigger,
                error: row.error,
                took_ms: row.duration_ms,
                cost: is_known.then_some(Money(row.cost)),
                started: exact(row.started_at, now, zone),
            };
            (run, key)
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(run, _)| run))
}

/// Agents for the filter.
pub(crate) async fn agents(tx: &mut ReadTx, client: Option<&str>) -> Result<Vec<(String, String)>, AppError> {
    let client = filled(client).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let rows = sqlx::query!(
        "select id, name from agents where workspace_id = $1 and ($2::uuid is null or client_id is null or client_id = $2)
         order by name, id limit $3",
        tx.workspace_uuid(),
        client,
        MOST_AGENTS
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
