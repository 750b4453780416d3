//! The lists of imports and of calls that failed in one, in the order that the address asks for.

use uuid::Uuid;

use super::views::title;
use crate::model::{FailureQuery, FailureRow, SyncJobStatus, SyncQuery, SyncRow};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{ConnectionId, HistoricalSyncId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page of a list.
pub(crate) const PAGE: usize = 50;

/// A list in an order of numbers: what the address says of it, and the place that its cursor names.
struct Order {
    /// What it is ordered by; none of the words that are known: by time.
    by: String,
    /// The first one is the smallest; numbers count from the largest down with a minus before them.
    sign: i64,
    cursor: Option<Cursor>,
    place: Option<(i64, Uuid)>,
}

impl Order {
    /// `usual`: what holds when the address says nothing.
    fn read(sort: Option<&str>, usual: &str, cursor: Option<&str>) -> Self {
        let sort = sort.filter(|sort| !sort.is_empty()).unwrap_or(usual);
        let (by, sign) = sort.strip_prefix('-').map_or((sort, 1), |by| (by, -1));
        let cursor = Cursor::parse(cursor).filter(|cursor| read_key(&cursor.key).is_some());
        let place = cursor.as_ref().and_then(|cursor| read_key(&cursor.key));
        Self { by: by.to_owned(), sign, cursor, place }
    }

    fn is_backwards(&self) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| !cursor.older)
    }

    fn page<R>(&self, rows: Vec<(i64, Uuid, R)>, limit: usize) -> Page<R> {
        let page = Page::cut(rows, limit, self.cursor.as_ref(), |(number, id, _)| format!("{number}_{id}"));
        page.map(|(.., row)| row)
    }
}

fn read_key(key: &str) -> Option<(i64, Uuid)> {
    let (number, id) = key.split_once('_')?;
    Some((number.parse().ok()?, id.parse().ok()?))
}

/// A page of imports; the newest first, if nothing else is asked for.
pub(crate) async fn imports(
    tx: &mut ReadTx,
    connection: ConnectionId,
    query: &SyncQuery,
    limit: usize,
) -> Result<Page<SyncRow>, AppError> {
    let order = Order::read(query.sort.as_deref(), "-asked", query.cursor.as_deref());
    // A connection has at most some hundreds of imports, so one statement may read in all orders and both directions.
    let rows = sqlx::query!(
        r#"select j.id as "id: HistoricalSyncId", j.from_day, j.to_day, j.status as "status: SyncJobStatus", j.imported, j.skipped, j.failed,
                  j.error, j.created_at, u.name as "started_by?", j.number as "number!",
                  case when j.all_agents then 0 else
                    (select count(distinct s.agent_id) from historical_sync_agents s where s.workspace_id = $1 and s.sync_id = j.id) end as "agents!"
           from (
             select *, $5::bigint * case $4::text when 'imported' then imported when 'skipped' then skipped when 'failed' then failed
                                    else (extract(epoch from created_at) * 1000000)::bigint end as number
             from historical_sync_jobs where workspace_id = $1 and connection_id = $2
           ) j left join users u on u.id = j.started_by
           where ($3::text is null or j.status::text = $3)
             and ($6::bigint is null or case when $8 then (j.number, j.id) < ($6, $7::uuid) else (j.number, j.id) > ($6, $7::uuid) end)
           order by case when $8 then j.number end desc, case when $8 then j.id end desc, j.number, j.id limit $9"#,
        tx.workspace_uuid(),
        connection.0,
        query.status.as_deref().filter(|status| !status.is_empty()),
        order.by,
        order.sign,
        order.place.map(|(number, _)| number),
        order.place.map(|(_, id)| id),
        order.is_backwards(),
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let rows = rows.into_iter().map(|row| {
        let shown = SyncRow {
            id: row.id,
            title: title(row.from_day, row.to_day, row.agents),
            status: row.status,
            imported: row.imported,
            skipped: row.skipped,
            failed: row.failed,
            started_by: row.started_by,
            created: zone::stamp(row.created_at, now, zone_of_viewer),
            error: row.error,
        };
        (row.number, row.id.0, shown)
    });
    Ok(order.page(rows.collect(), limit))
}

/// A page of the calls that an import could not take; those that began last first, if nothing else is asked for. A call whose beginning
/// cannot be read counts as the oldest.
pub(crate) async fn failures(
    tx: &mut ReadTx,
    sync: HistoricalSyncId,
    query: &FailureQuery,
    limit: usize,
) -> Result<Page<FailureRow>, AppError> {
    let order = Order::read(query.sort.as_deref(), "-began", query.cursor.as_deref());
    // What is no id matches nothing.
    let agent = query.agent.as_deref().filter(|id| !id.is_empty()).map(|id| id.parse::<Uuid>().unwrap_or_default());
    let rows = sqlx::query!(
        r#"select f.id, f.provider_call_id, a.name as "agent?", f.started_at, f.why, f.number as "number!"
           from (
             select *, $4::bigint * coalesce((extract(epoch from started_at) * 1000000)::bigint, 0) as number
             from historical_sync_failures where workspace_id = $1 and sync_id = $2 and ($3::uuid is null or agent_id = $3)
           ) f left join agents a on a.workspace_id = $1 and a.id = f.agent_id
           where $5::bigint is null or case when $7 then (f.number, f.id) < ($5, $6::uuid) else (f.number, f.id) > ($5, $6::uuid) end
           order by case when $7 then f.number end desc, case when $7 then f.id end desc, f.number, f.id limit $8"#,
        tx.workspace_uuid(),
        sync.0,
        agent,
        order.sign,
        order.place.map(|(number, _)| number),
        order.place.map(|(_, id)| id),
        order.is_backwards(),
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let rows = rows.into_iter().map(|row| {
        let shown = FailureRow {
            id: row.id.to_string(),
            provider_call_id: row.provider_call_id,
            agent: row.agent,
            started: row.started_at.map(|at| zone::exact(at, now, zone_of_viewer)),
            why: row.why,
        };
        (row.number, row.id, shown)
    });
    Ok(order.page(rows.collect(), limit))
}

/// Agents that calls failed of: for the filter.
pub(crate) async fn failed_agents(tx: &mut ReadTx, sync: HistoricalSyncId) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select a.id, a.name from agents a
         where a.workspace_id = $1
           and exists (select from historical_sync_failures f where f.workspace_id = $1 and f.sync_id = $2 and f.agent_id = a.id)
         order by a.name, a.id limit 300",
        tx.workspace_uuid(),
        sync.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}
