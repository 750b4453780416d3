//! The list of calls, narrowed to those in which a call-back was asked for: however many there are, each statement reads some of them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Narrowed, rows_among};
use crate::model::CallRow;
use patchbay_access::server::ReadTx;
use patchbay_shared::{AppError, Cursor, read_time_key};

/// So many are looked through at once. The first of them fill a page, unless other filters leave few of them.
const PIECE: i64 = 1000;

/// Those of the calls whose call-back stands so.
pub(super) async fn among(tx: &mut ReadTx, calls: &[Uuid], status: &str) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select call_id as "call!" from call_backs where workspace_id = $1 and call_id = any($2) and status = $3"#,
        tx.workspace_uuid(),
        calls,
        status
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Rows of the list in its order: piece by piece of the calls with such a call-back, until there are `limit` of them.
pub(super) async fn rows(
    tx: &mut ReadTx,
    only: &Narrowed,
    status: &str,
    cursor: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<CallRow>, AppError> {
    let newer = cursor.is_some_and(|cursor| !cursor.older);
    let mut place = cursor.and_then(|cursor| read_time_key(&cursor.key));
    let mut found: Vec<CallRow> = Vec::new();
    loop {
        let piece = piece(tx, only, status, newer, place).await?;
        let calls: Vec<Uuid> = piece.iter().map(|(_, call)| *call).collect();
        let wanted = limit - found.len() as i64;
        found.extend(rows_among(tx, only, Some(&calls), cursor, wanted).await?);
        if found.len() as i64 >= limit || piece.len() < PIECE as usize {
            return Ok(found);
        }
        place = piece.last().copied();
    }
}

/// The next ones after a place in the list, in the order in which the list is read.
async fn piece(
    tx: &mut ReadTx,
    only: &Narrowed,
    status: &str,
    newer: bool,
    place: Option<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<(DateTime<Utc>, Uuid)>, AppError> {
    let client = only.client.map(|id| id.0);
    let (at, call) = place.unzip();
    super::plan_for_values(tx).await?;
    tx.read_in_order().await?;
    // Two arms, of which one runs: each reads its own direction of the index.
    let rows = sqlx::query!(
        r#"select call_started_at as "at!", call_id as "call!" from (
             (select call_started_at, call_id from call_backs
              where workspace_id = $1 and not $2 and status = $3 and ($4::uuid is null or client_id = $4) and call_id is not null and call_started_at is not null
                and ($7::timestamptz is null or call_started_at >= $7) and ($8::timestamptz is null or call_started_at < $8)
                and ($5::timestamptz is null or (call_started_at, call_id) < ($5, $6::uuid))
              order by call_started_at desc, call_id desc limit $9)
             union all
             (select call_started_at, call_id from call_backs
              where workspace_id = $1 and $2 and status = $3 and ($4::uuid is null or client_id = $4) and call_id is not null and call_started_at is not null
                and ($7::timestamptz is null or call_started_at >= $7) and ($8::timestamptz is null or call_started_at < $8)
                and (call_started_at, call_id) > ($5, $6::uuid)
              order by call_started_at, call_id limit $9)) q"#,
        tx.workspace_uuid(),
        newer,
        status,
        client,
        at,
        call,
        only.from,
        only.to,
        PIECE
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.at, row.call)).collect();
    // Rows of one arm; joined, they need not come as it reads them.
    rows.sort_unstable();
    if !newer {
        rows.reverse();
    }
    Ok(rows)
}
