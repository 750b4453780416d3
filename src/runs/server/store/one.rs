//! One run.

use uuid::Uuid;

use super::{live, logs};
use crate::model::{Run, RunStatus, RunType, Trigger};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, CallId, ClientId, RunId};
use patchbay_shared::zone::exact;
use patchbay_shared::{AppError, Money};

/// Steps that a page shows.
const MOST_STEPS: usize = 500;
/// Bytes of all payloads that a page carries.
const MOST_PAYLOADS: usize = 512 * 1024;

/// What a run is called: a test by its name, a call by whom it was with.
pub(crate) fn title(title: String, contact: Option<String>, number: Option<String>) -> String {
    let named = |name: Option<String>| name.filter(|name| !name.is_empty());
    let own = named(Some(title)).or_else(|| named(contact));
    own.or_else(|| named(number)).unwrap_or_else(|| "Unknown caller".to_owned())
}

/// A run with its steps. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: RunId) -> Result<Run, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select r.run_type as "kind: RunType", r.trigger as "trigger: Trigger", r.status as "status: RunStatus", r.title, r.error,
                  r.duration_ms, r.started_at, r.agent_id, a.name as "agent?", r.client_id, k.name as "client?", r.call_id, r.prompt_version,
                  r.schedule_id, s.name as "schedule?", r.trigger_id, t.name as "hook?",
                  coalesce(s.removed_at, t.removed_at) is null as "is_origin_there!",
                  u.name as "by?", c.contact_name as "contact?", case when c.direction = 'inbound' then c."from" else c."to" end as number,
                  coalesce(c.cost, r.cost) as "cost!", coalesce(c.is_unpriced, r.is_unpriced) as "is_unpriced!",
                  case when r.call_id is null then r.prompt_tokens else used.read end as "read!",
                  case when r.call_id is null then r.completion_tokens else used.written end as "written!"
           from agent_runs r
           left join calls c on c.workspace_id = $1 and c.id = r.call_id
           left join agents a on a.workspace_id = $1 and a.id = r.agent_id
           left join clients k on k.workspace_id = $1 and k.id = r.client_id
           left join agent_schedules s on s.workspace_id = $1 and s.id = r.schedule_id
           left join agent_triggers t on t.workspace_id = $1 and t.id = r.trigger_id
           left join users u on u.workspace_id = $1 and u.id = r.started_by
           cross join lateral (
             select coalesce(sum(o.prompt_tokens), 0)::bigint as read, coalesce(sum(o.completion_tokens), 0)::bigint as written
             from token_usage o where o.workspace_id = $1 and o.call_id = r.call_id) used
           where r.workspace_id = $1 and r.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let call = row.call_id.map(CallId);
    let mut steps = match call {
        Some(call) => live::steps(tx, call, MOST_STEPS + 1).await?,
        None => logs::steps(tx, id, MOST_STEPS + 1).await?,
    };
    let is_cut = steps.len() > MOST_STEPS;
    steps.truncate(MOST_STEPS);
    let mut room = MOST_PAYLOADS;
    for step in &mut steps {
        let bytes = step.payload.to_string().len();
        if bytes > room {
            step.payload = serde_json::json!({ "bytes": bytes, "note": "Too large to be shown beside the others." });
        } else {
            room -= bytes;
        }
    }
    let is_running = row.status == RunStatus::Running;
    let page = |kind: &str, id: Option<Uuid>, name: Option<String>| {
        let (agent, id, name) = (row.agent_id?, id?, name?);
        Some((name, row.is_origin_there.then(|| format!("/agents/{agent}/{kind}/{id}"))))
    };
    let origin =
        page("schedules", row.schedule_id, row.schedule).or_else(|| page("triggers", row.trigger_id, row.hook));
    Ok(Run {
        id,
        title: title(row.title, row.contact, row.number),
        kind: row.kind,
        status: row.status,
        trigger: row.trigger,
        origin,
        by: row.by,
        agent: row.agent_id.map(AgentId).zip(row.agent),
        client: row.client_id.map(ClientId).zip(row.client),
        call,
        prompt_version: row.prompt_version,
        started: exact(row.started_at, now, zone),
        took_ms: row.duration_ms.or_else(|| is_running.then(|| (now - row.started_at).num_milliseconds().max(0))),
        error: row.error,
        read: row.read,
        written: row.written,
        cost: Money(row.cost),
        is_unpriced: row.is_unpriced,
        steps,
        is_cut,
    })
}

/// The runs of the same agent right before and after this one: older, newer.
pub(crate) async fn neighbours(
    tx: &mut ReadTx,
    id: RunId,
    agent: AgentId,
) -> Result<(Option<RunId>, Option<RunId>), AppError> {
    tx.read_in_order().await?;
    let row = sqlx::query!(
        r#"select (select o.id from agent_runs o where o.workspace_id = $1 and o.agent_id = $3 and (o.started_at, o.id) < (r.started_at, r.id)
                   order by o.started_at desc, o.id desc limit 1) as older,
                  (select n.id from agent_runs n where n.workspace_id = $1 and n.agent_id = $3 and (n.started_at, n.id) > (r.started_at, r.id)
                   order by n.started_at, n.id limit 1) as newer
           from agent_runs r where r.workspace_id = $1 and r.id = $2"#,
        tx.workspace_uuid(),
        id.0,
        agent.0
    )
    .fetch_one(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    Ok((row.older.map(RunId), row.newer.map(RunId)))
}

/// The run that a run repeats, and runs that repeat it, newest first (results of tests have the ids of their runs: their table is read for
/// that alone).
pub(crate) async fn repeats(
    tx: &mut ReadTx,
    id: RunId,
) -> Result<(Option<(RunId, String)>, Vec<(RunId, String)>), AppError> {
    let before = sqlx::query!(
        r#"select r.id as "id: RunId", r.title from test_runs t join agent_runs r on r.workspace_id = $1 and r.id = t.again_of
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let after = sqlx::query!(
        r#"select r.id as "id: RunId", r.title from test_runs t join agent_runs r on r.workspace_id = $1 and r.id = t.id
           where t.workspace_id = $1 and t.again_of = $2 order by r.id desc limit 10"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok((before.map(|row| (row.id, row.title)), after.into_iter().map(|row| (row.id, row.title)).collect()))
}
