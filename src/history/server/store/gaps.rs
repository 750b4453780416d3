//! What is missing: gaps that were found, and how they were closed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::calls::Stuck;
use crate::model::{GapCounts, GapKind, GapQuery, GapRow};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, CallGapId, CallId, ConnectionId};
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key, zone};

/// Rows on a page of the list.
pub(crate) const PAGE: usize = 50;
/// Counts beside the tabs stop here.
const COUNTED: i64 = 1000;

/// A gap that was found.
pub(crate) struct NewGap<'a> {
    pub kind: GapKind,
    pub provider_call_id: &'a str,
    pub call: Option<CallId>,
    pub agent: Option<AgentId>,
    pub started_at: DateTime<Utc>,
    pub why: &'a str,
}

/// A gap as whoever closes it reads it.
#[derive(Debug, Clone)]
pub(crate) struct Gap {
    pub id: CallGapId,
    pub kind: String,
    pub provider_call_id: String,
    pub call: Option<CallId>,
    pub closed: bool,
}

impl Gap {
    pub fn kind(&self) -> Option<GapKind> {
        self.kind.parse().ok()
    }
}

/// Writes down what is missing. The same again only says what is known now.
pub(crate) async fn open(tx: &mut WriteTx, connection: ConnectionId, gap: &NewGap<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into call_gaps (workspace_id, id, connection_id, kind, provider_call_id, call_id, agent_id, started_at, why)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (workspace_id, connection_id, kind, provider_call_id) where closed_at is null
         do update set why = excluded.why, call_id = coalesce(excluded.call_id, call_gaps.call_id)",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        connection.0,
        gap.kind.as_str(),
        gap.provider_call_id,
        gap.call.map(|call| call.0),
        gap.agent.map(|agent| agent.0),
        gap.started_at,
        gap.why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Closes the open gap of this kind.
pub(crate) async fn close(
    tx: &mut WriteTx,
    connection: ConnectionId,
    kind: GapKind,
    provider_call_id: &str,
    call: Option<CallId>,
    how: &str,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_gaps set closed_at = now(), closed_how = $6, call_id = coalesce($5, call_id)
         where workspace_id = $1 and connection_id = $2 and kind = $3 and provider_call_id = $4 and closed_at is null",
        tx.workspace_uuid(),
        connection.0,
        kind.as_str(),
        provider_call_id,
        call.map(|call| call.0),
        how
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The service was asked about an open gap, and had nothing new.
pub(crate) async fn asked(tx: &mut WriteTx, id: CallGapId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_gaps set asked_at = now() where workspace_id = $1 and id = $2 and closed_at is null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Says why an open gap could not be closed, which the service was asked to do.
pub(crate) async fn note(tx: &mut WriteTx, id: CallGapId, why: &str) -> Result<(), AppError> {
    let why: String = why.chars().filter(|c| *c != '\0').take(500).collect();
    sqlx::query!(
        "update call_gaps set why = $3, asked_at = now() where workspace_id = $1 and id = $2 and closed_at is null",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Closes those that are no gaps any more: the call that was never heard of has come by another way. Gives how many. An end or a bill
/// that is here may be another one than was missing, so the service is asked about those (`in_doubt`).
pub(crate) async fn close_filled(tx: &mut WriteTx, connection: ConnectionId, provider: &str) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update call_gaps g set closed_at = now(), closed_how = 'It has come by itself.', call_id = c.id
         from calls c
         where g.workspace_id = $1 and g.connection_id = $2 and g.closed_at is null and c.workspace_id = $1 and c.provider = $3
           and c.provider_call_id = g.provider_call_id and g.kind = 'never_heard_of'",
        tx.workspace_uuid(),
        connection.0,
        provider
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Calls with an open gap of this kind that have an end or a bill here by now, the newest gaps first.
pub(crate) async fn in_doubt(
    tx: &mut ReadTx,
    connection: ConnectionId,
    provider: &str,
    kind: GapKind,
    most: i64,
) -> Result<Vec<Stuck>, AppError> {
    Ok(sqlx::query_as!(
        Stuck,
        r#"select c.id as "id: CallId", g.provider_call_id, c.agent_id as "agent_id: AgentId", c.started_at
           from call_gaps g
           join calls c on c.workspace_id = $1 and c.provider = $3 and c.provider_call_id = g.provider_call_id
           where g.workspace_id = $1 and g.connection_id = $2 and g.closed_at is null and g.kind = $4
             and case g.kind when 'without_end' then c.ended_at is not null else not c.is_unpriced end
           order by g.id desc limit $5"#,
        tx.workspace_uuid(),
        connection.0,
        provider,
        kind.as_str(),
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Closes all that are open, without having filled them.
pub(crate) async fn drop_all(tx: &mut WriteTx, connection: ConnectionId, how: &str) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update call_gaps set closed_at = now(), closed_how = $3 where workspace_id = $1 and connection_id = $2 and closed_at is null",
        tx.workspace_uuid(),
        connection.0,
        how
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// One gap. Errors: `NotFound`, also for another connection's.
pub(crate) async fn get(tx: &mut ReadTx, connection: ConnectionId, id: CallGapId) -> Result<Gap, AppError> {
    Ok(sqlx::query_as!(
        Gap,
        r#"select id as "id: CallGapId", kind, provider_call_id, call_id as "call: CallId", closed_at is not null as "closed!"
           from call_gaps where workspace_id = $1 and connection_id = $2 and id = $3"#,
        tx.workspace_uuid(),
        connection.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Open gaps from behind `after`, in the order of their finding, but for those that the service was asked about since then.
pub(crate) async fn open_after(
    tx: &mut ReadTx,
    connection: ConnectionId,
    after: Uuid,
    since: Option<DateTime<Utc>>,
    most: i64,
) -> Result<Vec<Gap>, AppError> {
    Ok(sqlx::query_as!(
        Gap,
        r#"select id as "id: CallGapId", kind, provider_call_id, call_id as "call: CallId", closed_at is not null as "closed!"
           from call_gaps where workspace_id = $1 and connection_id = $2 and closed_at is null and id > $3
             and ($4::timestamptz is null or asked_at is null or asked_at < $4)
           order by id limit $5"#,
        tx.workspace_uuid(),
        connection.0,
        after,
        since,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Open gaps by kind, and what was closed within a week.
pub(crate) async fn counts(tx: &mut ReadTx, connection: ConnectionId) -> Result<GapCounts, AppError> {
    let row = sqlx::query!(
        r#"select
             (select count(*) from (select from call_gaps where workspace_id = $1 and connection_id = $2 and closed_at is null
                and kind = 'never_heard_of' limit $3) n) as "never_heard_of!",
             (select count(*) from (select from call_gaps where workspace_id = $1 and connection_id = $2 and closed_at is null
                and kind = 'without_end' limit $3) n) as "without_end!",
             (select count(*) from (select from call_gaps where workspace_id = $1 and connection_id = $2 and closed_at is null
                and kind = 'without_bill' limit $3) n) as "without_bill!",
             (select count(*) from (select from call_gaps where workspace_id = $1 and connection_id = $2
                and closed_at > now() - interval '7 days' limit $3) n) as "closed!""#,
        tx.workspace_uuid(),
        connection.0,
        COUNTED
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(GapCounts {
        never_heard_of: row.never_heard_of,
        without_end: row.without_end,
        without_bill: row.without_bill,
        closed: row.closed,
    })
}

/// A page of the list: open ones by when the call began, closed ones by when they were closed; the newest first, unless the address says
/// otherwise.
pub(crate) async fn list(
    tx: &mut ReadTx,
    connection: ConnectionId,
    query: &GapQuery,
    limit: usize,
) -> Result<Page<GapRow>, AppError> {
    let closed = query.kind.as_deref() == Some("closed");
    let kind = query.kind.as_deref().filter(|kind| !kind.is_empty() && !closed);
    // What is no id, like what is no kind, matches nothing.
    let agent = query.agent.as_deref().filter(|id| !id.is_empty()).map(|id| id.parse::<Uuid>().unwrap_or_default());
    let span = zone::days(query.from.as_deref(), query.to.as_deref(), tx.scope().zone())?;
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    // What is read from the oldest up: the next page of the list in that order, and the former one of the usual list.
    let upwards = (query.sort.as_deref() == Some("began") && !closed) != backwards;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select g.id as "id!: CallGapId", g.kind as "kind!", g.provider_call_id as "provider_call_id!", g.call_id as "call?: CallId",
                  a.name as "agent?", g.started_at as "started_at!", g.why as "why!", g.found_at as "found_at!", g.closed_at, g.closed_how
           from (
             (select *, case when $3 then closed_at else started_at end as at from call_gaps
              where workspace_id = $1 and connection_id = $2 and not $10 and (closed_at is not null) = $3
                and (not $3 or closed_at > now() - interval '7 days')
                and ($4::text is null or kind = $4) and ($5::uuid is null or agent_id = $5)
                and ($6::timestamptz is null or started_at >= $6) and ($7::timestamptz is null or started_at < $7)
                and ($8::timestamptz is null or (case when $3 then closed_at else started_at end, id) < ($8, $9::uuid))
              order by case when $3 then closed_at else started_at end desc, id desc limit $11)
             union all
             (select *, case when $3 then closed_at else started_at end as at from call_gaps
              where workspace_id = $1 and connection_id = $2 and $10 and (closed_at is not null) = $3
                and (not $3 or closed_at > now() - interval '7 days')
                and ($4::text is null or kind = $4) and ($5::uuid is null or agent_id = $5)
                and ($6::timestamptz is null or started_at >= $6) and ($7::timestamptz is null or started_at < $7)
                and ($8::timestamptz is null or (case when $3 then closed_at else started_at end, id) > ($8, $9::uuid))
              order by case when $3 then closed_at else started_at end, id limit $11)
           ) g left join agents a on a.workspace_id = $1 and a.id = g.agent_id
           order by g.at desc, g.id desc"#,
        tx.workspace_uuid(),
        connection.0,
        closed,
        kind,
        agent,
        span.from,
        span.before,
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        upwards,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let mut rows: Vec<(String, GapRow)> = rows
        .into_iter()
        .map(|row| {
            let at = if closed { row.closed_at.unwrap_or(row.started_at) } else { row.started_at };
            let stamp = |at| zone::stamp(at, now, zone_of_viewer);
            let gap = GapRow {
                id: row.id,
                kind: row.kind.parse().unwrap_or(GapKind::NeverHeardOf),
                provider_call_id: row.provider_call_id,
                call: row.call,
                agent: row.agent,
                started: zone::exact(row.started_at, now, zone_of_viewer),
                why: row.why,
                found: stamp(row.found_at),
                closed: row.closed_at.map(stamp),
                closed_how: row.closed_how,
            };
            (time_key(at, row.id.0), gap)
        })
        .collect();
    if upwards {
        // `cut` wants rows in the direction they were read.
        rows.reverse();
    }
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(key, _)| key.clone()).map(|(_, row)| row))
}

/// Agents that open gaps are of: for the filter.
pub(crate) async fn agents(tx: &mut ReadTx, connection: ConnectionId) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select a.id, a.name from agents a
         where a.workspace_id = $1 and exists (select from call_gaps g where g.workspace_id = $1 and g.connection_id = $2 and g.agent_id = a.id)
         order by a.name, a.id limit 300",
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
