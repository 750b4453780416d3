use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{CallUse, Counts, Origin, UsePage, UseQuery, UseRow, UseStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, AgentToolId, CallId, RunId, ToolInvocationId, UserId};
use patchbay_shared::search::filled;
use patchbay_shared::zone::{exact, stamp};
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key};

/// A use that is about to begin.
pub(crate) struct NewUse<'a> {
    pub id: ToolInvocationId,
    pub agent: AgentId,
    pub tool: AgentToolId,
    pub tool_name: &'a str,
    pub origin: Origin,
    pub call: Option<CallId>,
    /// A run that is no call.
    pub run: Option<RunId>,
    pub user: Option<UserId>,
    pub dedupe_key: &'a str,
    pub arguments: &'a Value,
}

/// Writes down that a use begins. False: the same request is there already.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewUse<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into tool_invocations (workspace_id, id, agent_id, tool_id, tool_name, origin, call_id, user_id, dedupe_key, arguments,
                                        run_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (workspace_id, call_id, tool_id, dedupe_key) do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.agent.0,
        new.tool.0,
        new.tool_name,
        new.origin.as_str(),
        new.call.map(|id| id.0),
        new.user.map(|id| id.0),
        new.dedupe_key,
        new.arguments,
        new.run.map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How a use ended.
pub(crate) struct Ended<'a> {
    pub is_error: bool,
    pub answer: &'a str,
    pub request: Option<&'a str>,
    pub response: Option<&'a str>,
    pub http_status: Option<i32>,
    pub took_ms: i32,
    /// The passages of knowledge that the model was given.
    pub passages: Option<&'a Value>,
}

pub(crate) async fn finish(tx: &mut WriteTx, id: ToolInvocationId, ended: &Ended<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update tool_invocations set status = $3, answer = $4, request = $5, response = $6, http_status = $7, took_ms = $8,
                passages = $9
         where workspace_id = $1 and id = $2 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        if ended.is_error { "failed" } else { "succeeded" },
        ended.answer,
        ended.request,
        ended.response,
        ended.http_status,
        ended.took_ms,
        ended.passages
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends uses that began some minutes ago and never ended: their process is gone. Gives the agents whose tools they were.
pub(crate) async fn end_lost(tx: &mut WriteTx, answer: &str) -> Result<Vec<AgentId>, AppError> {
    let mut agents: Vec<AgentId> = sqlx::query_scalar!(
        r#"update tool_invocations set status = 'failed', answer = $2
           where workspace_id = $1 and status = 'running' and created_at < now() - interval '3 minutes' returning agent_id as "id: AgentId""#,
        tx.workspace_uuid(),
        answer
    )
    .fetch_all(tx.conn())
    .await?;
    agents.sort_unstable();
    agents.dedup();
    Ok(agents)
}

/// An earlier use that the same request has found.
pub(crate) struct Former {
    pub dedupe_key: String,
    pub status: UseStatus,
    pub answer: String,
    /// By the database's clock.
    pub age_seconds: f64,
    /// Another use of the same tool in this call came after it.
    pub was_followed: bool,
    /// A use of any tool in this call came after it: what it read may be something else now.
    pub is_past: bool,
}

/// The newest use in a call whose key begins so.
pub(crate) async fn newest_like(
    tx: &mut ReadTx,
    call: CallId,
    tool: AgentToolId,
    beginning: &str,
) -> Result<Option<Former>, AppError> {
    let row = sqlx::query!(
        r#"select u.dedupe_key, u.status as "status: UseStatus", coalesce(u.answer, '') as "answer!",
                  extract(epoch from now() - u.created_at)::float8 as "age_seconds!",
                  exists (select from tool_invocations l
                          where l.workspace_id = $1 and l.call_id = $2 and l.tool_id = $3 and l.id > u.id) as "was_followed!",
                  exists (select from tool_invocations o where o.workspace_id = $1 and o.call_id = $2 and o.id > u.id) as "is_past!"
           from tool_invocations u
           where u.workspace_id = $1 and u.call_id = $2 and u.tool_id = $3 and starts_with(u.dedupe_key, $4)
           order by u.id desc limit 1"#,
        tx.workspace_uuid(),
        call.0,
        tool.0,
        beginning
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Former {
        dedupe_key: row.dedupe_key,
        status: row.status,
        answer: row.answer,
        age_seconds: row.age_seconds,
        was_followed: row.was_followed,
        is_past: row.is_past,
    }))
}

/// Whether a contact's e-mail address was changed by a tool in this call.
pub(crate) async fn changed_email(tx: &mut ReadTx, call: CallId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from tool_invocations u join agent_tools t on t.workspace_id = $1 and t.id = u.tool_id
             where u.workspace_id = $1 and u.call_id = $2 and u.arguments ->> 'email' is not null
               and t.tool_config ->> 'kind' = 'contact_update') as "is!""#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Uses of a tool that came before another one, without those of which it is known that nothing was done.
pub(crate) struct Before {
    pub in_call: i64,
    /// In the last 24 hours.
    pub in_day: i64,
}

pub(crate) async fn before(
    tx: &mut ReadTx,
    tool: AgentToolId,
    call: Option<CallId>,
    id: ToolInvocationId,
    not_known: &str,
) -> Result<Before, AppError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where call_id = $3) as "in_call!",
                  count(*) filter (where created_at > now() - interval '24 hours') as "in_day!"
           from tool_invocations
           where workspace_id = $1 and tool_id = $2 and id < $4 and (status <> 'failed' or answer = $5)
             and created_at > now() - interval '2 days'"#,
        tx.workspace_uuid(),
        tool.0,
        call.map(|call| call.0),
        id.0,
        not_known
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Before { in_call: row.in_call, in_day: row.in_day })
}

/// How often tools were used in a call, up to `most`.
pub(crate) async fn count_in_call(tx: &mut ReadTx, call: CallId, most: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from tool_invocations where workspace_id = $1 and call_id = $2 limit $3) uses"#,
        tx.workspace_uuid(),
        call.0,
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The uses of ours in a call, in their order.
pub async fn in_call(tx: &mut ReadTx, call: CallId) -> Result<Vec<CallUse>, AppError> {
    let rows = sqlx::query!(
        "select id, tool_name, arguments from tool_invocations where workspace_id = $1 and call_id = $2 order by id limit 500",
        tx.workspace_uuid(),
        call.0
    )
    .fetch_all(tx.conn())
    .await?;
    let uses = rows.into_iter().map(|row| CallUse {
        id: ToolInvocationId(row.id),
        tool_name: row.tool_name,
        arguments: row.arguments,
    });
    Ok(uses.collect())
}

/// Uses of each tool of an agent in the last seven days.
pub(crate) async fn counts(tx: &mut ReadTx, agent: AgentId) -> Result<BTreeMap<AgentToolId, Counts>, AppError> {
    let rows = sqlx::query!(
        r#"select tool_id, count(*) filter (where origin <> 'try') as "uses!",
                  count(*) filter (where status = 'failed' and origin <> 'try') as "errors!",
                  count(*) filter (where origin = 'try') as "tries!",
                  percentile_cont(0.5) within group (order by took_ms) filter (where origin <> 'try') as median
           from tool_invocations where workspace_id = $1 and agent_id = $2 and created_at > now() - interval '7 days' group by tool_id"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    let counts = rows.into_iter().map(|row| {
        let median_ms = row.median.map(|ms| ms.round() as i64);
        (AgentToolId(row.tool_id), Counts { uses: row.uses, errors: row.errors, tries: row.tries, median_ms })
    });
    Ok(counts.collect())
}

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $agent:expr, $tool:expr, $status:expr, $origin:expr, $at:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select u.id, u.tool_name, u.origin as "origin: Origin", u.status as "status: UseStatus", u.call_id, u.took_ms, u.created_at,
                      left(coalesce(u.answer, ''), 120) as "answer!",
                      coalesce(nullif(c.contact_name, ''), case when c.direction = 'inbound' then c."from" else c."to" end, p.name, '') as "who!"
               from tool_invocations u
               left join calls c on c.workspace_id = $1 and c.id = u.call_id
               left join users p on p.workspace_id = $1 and p.id = u.user_id
               where u.workspace_id = $1 and u.agent_id = $2
                 and ($3::uuid is null or u.tool_id = $3) and ($4::text is null or u.status = $4)
                 and ($5::text is null or u.origin = $5)
                 and ($6::timestamptz is null or (u.created_at, u.id) "# + $after + r#" ($6, $7::uuid))
               order by u.created_at "# + $way + r#", u.id "# + $way + r#" limit $8"#,
            $tx.workspace_uuid(), $agent.0, $tool, $status, $origin, $at, $id, $limit
        )
    };
}

/// Uses of an agent's tools. `limit` rows on a page.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &UseQuery,
    limit: usize,
) -> Result<Page<UseRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place: Option<(DateTime<Utc>, Uuid)> = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let (at, id) = (place.map(|(at, _)| at), place.map(|(_, id)| id));
    let tool: Option<Uuid> =
        filled(query.tool.as_deref()).map(|id| id.parse::<AgentToolId>()).transpose()?.map(|id| id.0);
    let (status, origin) = (filled(query.status.as_deref()), filled(query.origin.as_deref()));
    let most = limit as i64 + 1;
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            let key = time_key(row.created_at, row.id);
            let use_row = UseRow {
                id: ToolInvocationId(row.id),
                tool_name: row.tool_name,
                origin: row.origin,
                status: row.status,
                call: row.call_id.map(CallId),
                who: row.who,
                answer: row.answer,
                took_ms: row.took_ms,
                at: exact(row.created_at, now, zone),
            };
            (use_row, key)
        }};
    }
    let oldest_first = query.sort.as_deref() == Some("at");
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let rows: Vec<(UseRow, String)> = if oldest_first == backwards {
        let found = list_in!("<", "desc", tx, agent, tool, status, origin, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = list_in!(">", "asc", tx, agent, tool, status, origin, at, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    let page = Page::cut(rows, limit, cursor.as_ref().filter(|_| place.is_some()), |(_, key)| key.clone());
    Ok(page.map(|(row, _)| row))
}

/// One use. Its agent is found by its id. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: ToolInvocationId) -> Result<UsePage, AppError> {
    let row = sqlx::query!(
        r#"select u.agent_id, u.tool_id, u.tool_name, u.origin as "origin: Origin", u.status as "status: UseStatus", u.call_id, u.arguments,
                  u.answer, u.request, u.response, u.http_status, u.took_ms, u.created_at,
                  coalesce(nullif(c.contact_name, ''), case when c.direction = 'inbound' then c."from" else c."to" end, p.name, '') as "who!"
           from tool_invocations u
           left join calls c on c.workspace_id = $1 and c.id = u.call_id
           left join users p on p.workspace_id = $1 and p.id = u.user_id
           where u.workspace_id = $1 and u.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    Ok(UsePage {
        id,
        agent: super::agent(tx, AgentId(row.agent_id)).await?,
        tool: AgentToolId(row.tool_id),
        tool_name: row.tool_name,
        origin: row.origin,
        status: row.status,
        call: row.call_id.map(CallId),
        who: row.who,
        arguments: row.arguments,
        answer: row.answer,
        request: row.request,
        response: row.response,
        http_status: row.http_status,
        took_ms: row.took_ms,
        at: stamp(row.created_at, now, zone),
    })
}
