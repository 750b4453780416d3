//! What failed, and what failures have in common.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{CauseQuery, CauseRow, CauseState, ErrorRow, ErrorSource};
use crate::server::record::NewError;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, ErrorCauseId, RunId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::{exact, stamp};
use patchbay_shared::{AppError, Cursor, Page, Stamp, read_time_key, time_key};

/// Errors that are counted at a time.
pub(crate) const COUNTED: usize = 1000;

pub(crate) async fn insert(tx: &mut WriteTx, error: &NewError<'_>, fingerprint: &str) -> Result<(), AppError> {
    sqlx::query!(
        "insert into errors (workspace_id, id, run_id, agent_id, client_id, source, code, message, metadata, fingerprint, created_at)
         values ($1, $2, (select r.id from agent_runs r where r.workspace_id = $1 and r.id = $3), $4, $5, $6, $7, $8, $9, $10,
                 clock_timestamp())",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        error.run.map(|id| id.0),
        error.agent.map(|id| id.0),
        error.client.map(|id| id.0),
        error.source.as_str(),
        error.code,
        error.message,
        error.metadata,
        fingerprint,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Counts errors that nobody has counted: adds them to their causes, makes causes that are new, and opens those again that were resolved
/// before the error came. Gives how many it has counted: `COUNTED` at most. When two meet, the rows that one holds are left to it.
pub(crate) async fn count(tx: &mut WriteTx) -> Result<usize, AppError> {
    let counted = sqlx::query_scalar!(
        r#"with new as materialized (
             select e.id, e.fingerprint, e.source, e.code, e.message, e.created_at from errors e
             where e.workspace_id = $1 and e.cause_id is null order by e.id limit $2 for update skip locked),
           groups as (
             select fingerprint, min(source) as source, min(code) as code, (array_agg(message order by created_at desc))[1] as message,
                    min(created_at) as first_seen, max(created_at) as last_seen, count(*) as count
             from new group by fingerprint),
           causes as (
             insert into error_causes (workspace_id, id, fingerprint, source, code, message, first_seen, last_seen, count)
             select $1, gen_random_uuid(), g.fingerprint, g.source, g.code, g.message, g.first_seen, g.last_seen, g.count
             from groups g order by g.fingerprint
             on conflict (workspace_id, fingerprint) do update set
               message = excluded.message, last_seen = greatest(error_causes.last_seen, excluded.last_seen),
               first_seen = least(error_causes.first_seen, excluded.first_seen), count = error_causes.count + excluded.count,
               reopened_at = case when error_causes.resolved_at < excluded.last_seen then excluded.last_seen else error_causes.reopened_at end,
               resolved_by = case when error_causes.resolved_at < excluded.last_seen then null else error_causes.resolved_by end,
               resolved_at = case when error_causes.resolved_at < excluded.last_seen then null else error_causes.resolved_at end
             returning id, fingerprint)
           update errors e set cause_id = c.id from new n join causes c on c.fingerprint = n.fingerprint
           where e.workspace_id = $1 and e.id = n.id returning e.id"#,
        tx.workspace_uuid(),
        COUNTED as i64
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(counted.len())
}

/// A cause as it is kept.
struct Kept {
    id: Uuid,
    source: ErrorSource,
    code: String,
    message: String,
    count: i64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    reopened_at: Option<DateTime<Utc>>,
}

impl Kept {
    fn shown(self, stamp: impl Fn(DateTime<Utc>) -> Stamp) -> CauseRow {
        CauseRow {
            id: ErrorCauseId(self.id),
            source: self.source,
            code: self.code,
            message: self.message,
            count: self.count,
            first_seen: stamp(self.first_seen),
            last_seen: stamp(self.last_seen),
            state: if self.resolved_at.is_some() { CauseState::Resolved } else { CauseState::Open },
            reopened: self.reopened_at.filter(|_| self.resolved_at.is_none()).map(stamp),
        }
    }
}

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($only:tt, $after:tt, $way:tt, $tx:expr, $words:expr, $source:expr, $at:expr, $id:expr, $limit:expr) => {
        sqlx::query_as!(
            Kept,
            r#"select c.id, c.source as "source: ErrorSource", c.code, c.message, c.count, c.first_seen, c.last_seen, c.resolved_at, c.reopened_at
               from error_causes c
               where c.workspace_id = $1 and "# + $only + r#"
                 and ($2::text is null or c.message ilike $2 or c.code ilike $2) and ($3::text is null or c.source = $3)
                 and ($4::timestamptz is null or (c.last_seen, c.id) "# + $after + r#" ($4, $5::uuid))
               order by c.last_seen "# + $way + r#", c.id "# + $way + r#" limit $6"#,
            $tx.workspace_uuid(), $words, $source, $at, $id, $limit
        )
        .fetch_all($tx.conn())
        .await?
    };
}

/// Causes, those that were seen last first.
pub(crate) async fn causes(tx: &mut ReadTx, query: &CauseQuery, limit: usize) -> Result<Page<CauseRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let (at, id) = (place.map(|(at, _)| at), place.map(|(_, id)| id));
    let (words, source) = (like(query.q.as_deref()), filled(query.source.as_deref()));
    let state = filled(query.state.as_deref());
    let oldest_first = query.sort.as_deref() == Some("last");
    let upwards = cursor.as_ref().is_some_and(|cursor| !cursor.older) != oldest_first;
    let most = limit as i64 + 1;
    tx.read_in_order().await?;
    let found: Vec<Kept> = match (state.as_deref(), upwards) {
        (None | Some("open"), false) => {
            list_in!("c.resolved_at is null", "<", "desc", tx, words, source, at, id, most)
        }
        (None | Some("open"), true) => {
            list_in!("c.resolved_at is null", ">", "asc", tx, words, source, at, id, most)
        }
        (Some("resolved"), false) => {
            list_in!("c.resolved_at is not null", "<", "desc", tx, words, source, at, id, most)
        }
        (Some("resolved"), true) => {
            list_in!("c.resolved_at is not null", ">", "asc", tx, words, source, at, id, most)
        }
        (Some("all"), false) => list_in!("true", "<", "desc", tx, words, source, at, id, most),
        (Some("all"), true) => list_in!("true", ">", "asc", tx, words, source, at, id, most),
        (Some(_), _) => Vec::new(),
    };
    tx.read_as_planned().await?;
    let page = Page::cut(found, limit, cursor.as_ref(), |row| time_key(row.last_seen, row.id));
    Ok(page.map(|row| row.shown(|at| exact(at, now, zone))))
}

/// A cause, and when and by whom it was resolved. Errors: `NotFound`.
pub(crate) async fn cause(tx: &mut ReadTx, id: ErrorCauseId) -> Result<(CauseRow, Option<(Stamp, String)>), AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select c.id, c.source as "source: ErrorSource", c.code, c.message, c.count, c.first_seen, c.last_seen, c.resolved_at, c.reopened_at,
                  u.name as "by?"
           from error_causes c left join users u on u.workspace_id = $1 and u.id = c.resolved_by
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let resolved = row.resolved_at.map(|at| (stamp(at, now, zone), row.by.unwrap_or_default()));
    let kept = Kept {
        id: row.id,
        source: row.source,
        code: row.code,
        message: row.message,
        count: row.count,
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        resolved_at: row.resolved_at,
        reopened_at: row.reopened_at,
    };
    Ok((kept.shown(|at| exact(at, now, zone)), resolved))
}

/// Whether the cause is resolved; it is held until the commit. Errors: `NotFound`.
pub(crate) async fn hold(tx: &mut WriteTx, id: ErrorCauseId) -> Result<(bool, String), AppError> {
    let row = sqlx::query!(
        r#"select resolved_at is not null as "is_resolved!", message from error_causes where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.is_resolved, row.message))
}

/// Resolves a cause, or opens it.
pub(crate) async fn set_resolved(tx: &mut WriteTx, id: ErrorCauseId, resolved: bool) -> Result<(), AppError> {
    let user = tx.user_id().map(|id| id.0);
    sqlx::query!(
        "update error_causes set resolved_at = case when $3 then clock_timestamp() end, resolved_by = case when $3 then $4::uuid end,
                reopened_at = null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        resolved,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The times that an error came, newest first.
pub(crate) async fn of_cause(
    tx: &mut ReadTx,
    id: ErrorCauseId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<ErrorRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(cursor).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let (at, at_id) = (place.map(|(at, _)| at), place.map(|(_, id)| id));
    let most = limit as i64 + 1;
    macro_rules! rows {
        ($after:tt, $way:tt) => {{
            let found = sqlx::query!(
                r#"select e.id, e.created_at, e.message, e.run_id, e.agent_id, a.name as "agent?", k.name as "client?", e.metadata
                   from errors e
                   left join agents a on a.workspace_id = $1 and a.id = e.agent_id
                   left join clients k on k.workspace_id = $1 and k.id = e.client_id
                   where e.workspace_id = $1 and e.cause_id = $2
                     and ($3::timestamptz is null or (e.created_at, e.id) "# + $after + r#" ($3, $4::uuid))
                   order by e.created_at "# + $way + r#", e.id "# + $way + r#" limit $5"#,
                tx.workspace_uuid(), id.0, at, at_id, most
            )
            .fetch_all(tx.conn())
            .await?;
            let rows = found.into_iter().map(|row| {
                let key = time_key(row.created_at, row.id);
                let error = ErrorRow {
                    at: exact(row.created_at, now, zone),
                    message: row.message,
                    run: row.run_id.map(RunId),
                    agent: row.agent_id.map(AgentId).zip(row.agent),
                    client: row.client,
                    metadata: row.metadata,
                };
                (error, key)
            });
            rows.collect::<Vec<_>>()
        }};
    }
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    tx.read_in_order().await?;
    let rows = if backwards { rows!(">", "asc") } else { rows!("<", "desc") };
    tx.read_as_planned().await?;
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(row, _)| row))
}

/// The causes of a run's errors.
pub(crate) async fn of_run(tx: &mut ReadTx, run: RunId) -> Result<Vec<CauseRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let found = sqlx::query_as!(
        Kept,
        r#"select c.id, c.source as "source: ErrorSource", c.code, c.message, c.count, c.first_seen, c.last_seen, c.resolved_at, c.reopened_at
           from error_causes c
           where c.workspace_id = $1 and c.id in (select e.cause_id from errors e where e.workspace_id = $1 and e.run_id = $2 limit 200)
           order by c.last_seen desc limit 10"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(found.into_iter().map(|row| row.shown(|at| stamp(at, now, zone))).collect())
}
