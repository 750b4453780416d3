//! Statements about triggers, and what was sent to them.

use chrono::{DateTime, Utc};

use super::{Place, state};
use crate::model::{ListQuery, TriggerRow};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, AgentTriggerId, RunId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Page};

/// A trigger as it is stored.
pub(crate) struct Trigger {
    pub agent: AgentId,
    pub name: String,
    pub enabled: bool,
    pub old_until: Option<DateTime<Utc>>,
}

/// Locks a trigger that was not removed. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: AgentTriggerId) -> Result<Trigger, AppError> {
    Ok(sqlx::query_as!(
        Trigger,
        r#"select agent_id as "agent: AgentId", name, enabled, old_until from agent_triggers
           where workspace_id = $1 and id = $2 and removed_at is null for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The secrets that sign for a trigger at this moment, sealed. Errors: `NotFound`.
pub(crate) async fn secrets(tx: &mut ReadTx, id: AgentTriggerId) -> Result<Vec<String>, AppError> {
    let row = sqlx::query!(
        "select secret, case when old_until > now() then old_secret end as old from agent_triggers
         where workspace_id = $1 and id = $2 and removed_at is null",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(std::iter::once(row.secret).chain(row.old).collect())
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: AgentTriggerId,
    agent: AgentId,
    name: &str,
    secret: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_triggers (workspace_id, id, agent_id, name, secret) values ($1, $2, $3, $4, $5)",
        tx.workspace_uuid(),
        id.0,
        agent.0,
        name,
        secret,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn rename(tx: &mut WriteTx, id: AgentTriggerId, name: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_triggers set name = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        name
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn switch(tx: &mut WriteTx, id: AgentTriggerId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_triggers set enabled = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts another secret in place of the present one, which goes on for so many hours. Gives until when.
pub(crate) async fn replace_secret(
    tx: &mut WriteTx,
    id: AgentTriggerId,
    secret: &str,
    hours: i32,
) -> Result<DateTime<Utc>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"update agent_triggers set old_secret = secret, old_until = now() + make_interval(hours => $4), secret = $3, updated_at = now()
           where workspace_id = $1 and id = $2 returning old_until as "until!""#,
        tx.workspace_uuid(),
        id.0,
        secret,
        hours
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Removes a trigger, and its secrets with it.
pub(crate) async fn remove(tx: &mut WriteTx, id: AgentTriggerId) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_triggers set removed_at = now(), enabled = false, secret = '', old_secret = null, old_until = null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// All triggers of the agency that were not removed, by number, without those of deleted agents.
pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from agent_triggers t
           where t.workspace_id = $1 and t.removed_at is null
             and exists (select from agents a where a.workspace_id = $1 and a.id = t.agent_id and a.deleted_at is null)"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The run that was made of what has this id.
pub(crate) async fn delivered(
    tx: &mut ReadTx,
    trigger: AgentTriggerId,
    webhook: &str,
) -> Result<Option<RunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: RunId" from agent_trigger_deliveries where workspace_id = $1 and trigger_id = $2 and webhook_id = $3"#,
        tx.workspace_uuid(),
        trigger.0,
        webhook
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Runs that a trigger made in the last minute.
pub(crate) async fn in_last_minute(tx: &mut ReadTx, trigger: AgentTriggerId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from agent_trigger_deliveries
           where workspace_id = $1 and trigger_id = $2 and received_at > now() - interval '1 minute'"#,
        tx.workspace_uuid(),
        trigger.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Keeps what was sent, and that it was the last.
pub(crate) async fn deliver(
    tx: &mut WriteTx,
    trigger: AgentTriggerId,
    webhook: &str,
    run: RunId,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_trigger_deliveries (workspace_id, id, trigger_id, webhook_id) values ($1, $2, $3, $4)",
        tx.workspace_uuid(),
        run.0,
        trigger.0,
        webhook
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update agent_triggers set last_at = now(), last_run_id = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        trigger.0,
        run.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Triggers of an agent, by name.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &ListQuery,
    limit: usize,
) -> Result<Page<TriggerRow>, AppError> {
    page(tx, agent, None, query, limit).await
}

/// One trigger, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, agent: AgentId, id: AgentTriggerId) -> Result<TriggerRow, AppError> {
    page(tx, agent, Some(id), &ListQuery::default(), 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    agent: AgentId,
    one: Option<AgentTriggerId>,
    query: &ListQuery,
    limit: usize,
) -> Result<Page<TriggerRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query));
    let rows = sqlx::query!(
        r#"select id as "id: AgentTriggerId", name, enabled, case when old_until > now() then old_until end as old_until, last_at,
                  last_run_id as "last_run: RunId"
           from agent_triggers
           where workspace_id = $1 and agent_id = $2 and removed_at is null and ($3::uuid is null or id = $3)
             and ($4::text is null or name ilike $4) and ($5::bool is null or enabled = $5)
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
    let (base, workspace) = (tx.services().public_url.clone(), tx.workspace_id());
    let rows = rows
        .into_iter()
        .map(|row| TriggerRow {
            id: row.id,
            name: row.name,
            address: format!("{base}/hooks/agents/{workspace}/{}", row.id),
            enabled: row.enabled,
            old_until: row.old_until.map(|at| stamp(at, now, zone)),
            last: row.last_at.zip(row.last_run).map(|(at, run)| (stamp(at, now, zone), run)),
        })
        .collect();
    Ok(Page::cut(rows, limit, place.cursor.as_ref(), |row: &TriggerRow| format!("{}_{}", row.id, row.name)))
}
