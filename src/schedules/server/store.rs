//! Statements about schedules, and what both schedules and triggers ask of their agent. `triggers` has those about triggers.

pub(crate) mod triggers;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::jobs::RunAgent;
use super::times::Times;
use crate::model::{LastTime, ListQuery, ScheduleFields, ScheduleRow, TimeResult};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::queue::Job;
use patchbay_shared::ids::{AgentId, AgentScheduleId, ClientId, PromptId, RunId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};
use patchbay_tools::model::AgentHead;

/// An agent, and what keeps it from running (tables of others: read only).
pub(crate) struct Agent {
    pub head: AgentHead,
    /// `draft`, `active` or `paused`.
    pub status: String,
    pub is_deleted: bool,
    pub is_archived: bool,
    pub prompt: Option<PromptId>,
}

/// Errors: `NotFound`.
pub(crate) async fn agent(tx: &mut ReadTx, id: AgentId) -> Result<Agent, AppError> {
    let row = sqlx::query!(
        r#"select a.name, a.is_active, a.status::text as "status!", a.deleted_at is not null as "is_deleted!",
                  a.client_id as "client_id: ClientId", c.name as "client?", coalesce(c.status = 'archived', false) as "is_archived!",
                  a.prompt_service_id as "prompt: PromptId"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Agent {
        head: AgentHead { id, name: row.name, is_active: row.is_active, client_id: row.client_id, client: row.client },
        status: row.status,
        is_deleted: row.is_deleted,
        is_archived: row.is_archived,
        prompt: row.prompt,
    })
}

/// A schedule as it is stored.
pub(crate) struct Schedule {
    pub agent: AgentId,
    pub fields: ScheduleFields,
    pub enabled: bool,
    pub next: Option<DateTime<Utc>>,
}

/// Locks a schedule that was not removed. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: AgentScheduleId) -> Result<Schedule, AppError> {
    let row = sqlx::query!(
        r#"select agent_id as "agent: AgentId", name, cron, timezone, input, variables as "variables: Json<BTreeMap<String, String>>",
                  enabled, next_at
           from agent_schedules where workspace_id = $1 and id = $2 and removed_at is null for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let fields = ScheduleFields {
        name: row.name,
        cron: row.cron,
        timezone: row.timezone,
        input: row.input,
        variables: row.variables.0,
    };
    Ok(Schedule { agent: row.agent, fields, enabled: row.enabled, next: row.next_at })
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: AgentScheduleId,
    agent: AgentId,
    fields: &ScheduleFields,
    next: DateTime<Utc>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_schedules (workspace_id, id, agent_id, name, cron, timezone, input, variables, next_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tx.workspace_uuid(),
        id.0,
        agent.0,
        fields.name,
        fields.cron,
        fields.timezone,
        fields.input,
        Json(&fields.variables) as _,
        next,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(
    tx: &mut WriteTx,
    id: AgentScheduleId,
    fields: &ScheduleFields,
    next: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_schedules set name = $3, cron = $4, timezone = $5, input = $6, variables = $7, next_at = $8, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.cron,
        fields.timezone,
        fields.input,
        Json(&fields.variables) as _,
        next,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Switches a schedule on, with its next time, or off.
pub(crate) async fn switch(tx: &mut WriteTx, id: AgentScheduleId, next: Option<DateTime<Utc>>) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_schedules set enabled = $3::timestamptz is not null, next_at = $3, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        next,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn remove(tx: &mut WriteTx, id: AgentScheduleId) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_schedules set removed_at = now(), enabled = false, next_at = null where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a time was dealt with, and which one comes next.
pub(crate) struct Dealt<'a> {
    pub at: DateTime<Utc>,
    pub result: TimeResult,
    pub note: Option<&'a str>,
    pub run: Option<RunId>,
    pub next: Option<DateTime<Utc>>,
}

pub(crate) async fn advance(tx: &mut WriteTx, id: AgentScheduleId, dealt: &Dealt<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_schedules set last_at = $3, last_result = $4, last_note = $5, last_run_id = $6, next_at = $7,
                enabled = $7::timestamptz is not null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        dealt.at,
        dealt.result.as_str(),
        dealt.note,
        dealt.run.map(|id| id.0),
        dealt.next,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// All schedules of the agency that were not removed, by number. Those of deleted agents can be removed by nobody, and do not count.
pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from agent_schedules s
           where s.workspace_id = $1 and s.removed_at is null
             and exists (select from agents a where a.workspace_id = $1 and a.id = s.agent_id and a.deleted_at is null)"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Runs of schedules and triggers that go on although there is no job for them (tables of others: read only).
pub(crate) async fn lost_runs(tx: &mut ReadTx) -> Result<Vec<(RunId, AgentId)>, AppError> {
    let rows = sqlx::query!(
        r#"select r.id as "run: RunId", r.agent_id as "agent!: AgentId" from agent_runs r
           where r.workspace_id = $1 and r.status = 'running' and r.run_type in ('cron_job', 'webhook')
             and not exists (select from jobs j where j.workspace_id = $1 and j.kind = $2 and j.dedupe_key = r.id::text
                               and j.status in ('pending', 'processing'))
           order by r.started_at, r.id limit 100"#,
        tx.workspace_uuid(),
        RunAgent::KIND,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.run, row.agent)).collect())
}

/// Schedules whose next time has come.
pub(crate) async fn due(tx: &mut ReadTx) -> Result<Vec<(AgentScheduleId, DateTime<Utc>)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: AgentScheduleId", next_at as "next_at!" from agent_schedules
           where workspace_id = $1 and next_at <= now() order by next_at, id limit 1000"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.next_at)).collect())
}

/// Where a list by name goes on: name, id, and whether upwards in the alphabet.
pub(crate) struct Place {
    pub cursor: Option<Cursor>,
    pub name: Option<String>,
    pub id: Option<Uuid>,
    pub ascending: bool,
}

impl Place {
    pub fn of(query: &ListQuery) -> Self {
        let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
        let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
        let (name, id) = place.map_or((None, None), |(name, id)| (Some(name.to_owned()), Some(id)));
        let is_natural = query.sort.as_deref() != Some("-name");
        let ascending = is_natural == cursor.as_ref().is_none_or(|cursor| cursor.older);
        Self { cursor, name, id, ascending }
    }
}

/// What the filter `state` asks for. A word that is none asks for nothing.
pub(crate) fn state(query: &ListQuery) -> Option<bool> {
    match query.state.as_deref() {
        Some("on") => Some(true),
        Some("off") => Some(false),
        _ => None,
    }
}

/// Schedules of an agent, by name.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &ListQuery,
    limit: usize,
) -> Result<Page<ScheduleRow>, AppError> {
    page(tx, agent, None, query, limit).await
}

/// One schedule, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, agent: AgentId, id: AgentScheduleId) -> Result<ScheduleRow, AppError> {
    page(tx, agent, Some(id), &ListQuery::default(), 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    agent: AgentId,
    one: Option<AgentScheduleId>,
    query: &ListQuery,
    limit: usize,
) -> Result<Page<ScheduleRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query));
    let rows = sqlx::query!(
        r#"select id as "id: AgentScheduleId", name, cron, timezone, enabled, next_at, last_at,
                  last_result as "last_result: TimeResult", last_note, last_run_id as "last_run: RunId"
           from agent_schedules
           where workspace_id = $1 and agent_id = $2 and removed_at is null and ($3::uuid is null or id = $3)
             and ($4::text is null or name ilike $4 or input ilike $4) and ($5::bool is null or enabled = $5)
             and ($6::text is null or case when $8 then (name, id) > ($6, $7::uuid) else (name, id) < ($6, $7::uuid) end)
           order by case when $8 then name end, case when $8 then id end, case when not $8 then name end desc,
                    case when not $8 then id end desc
           limit $9"#,
        tx.workspace_uuid(),
        agent.0,
        one.map(|id| id.0),
        like(filled(query.words.as_deref()).as_deref()),
        state(query),
        place.name,
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| ScheduleRow {
            id: row.id,
            said: Times::read(&row.cron, &row.timezone).map(|times| times.said()).unwrap_or_default(),
            name: row.name,
            cron: row.cron,
            timezone: row.timezone,
            enabled: row.enabled,
            next: row.next_at.map(|at| stamp(at, now, zone)),
            last: row.last_at.zip(row.last_result).map(|(at, result)| LastTime {
                at: stamp(at, now, zone),
                result,
                note: row.last_note,
                run: row.last_run,
            }),
        })
        .collect();
    Ok(Page::cut(rows, limit, place.cursor.as_ref(), |row: &ScheduleRow| format!("{}_{}", row.id, row.name)))
}

/// What a schedule's form begins with. Errors: `NotFound`.
pub(crate) async fn fields(tx: &mut ReadTx, agent: AgentId, id: AgentScheduleId) -> Result<ScheduleFields, AppError> {
    let row = sqlx::query!(
        r#"select name, cron, timezone, input, variables as "variables: Json<BTreeMap<String, String>>" from agent_schedules
           where workspace_id = $1 and agent_id = $2 and id = $3 and removed_at is null"#,
        tx.workspace_uuid(),
        agent.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(ScheduleFields {
        name: row.name,
        cron: row.cron,
        timezone: row.timezone,
        input: row.input,
        variables: row.variables.0,
    })
}
