//! The platform's log: what platform admins, and whoever runs the installation, did to agencies and to their own accounts. One chain of
//! hashes, like each agency's.

use patchbay_access::Action;
use patchbay_access::server::{NewEvent, SystemTx, Visitor, visitor};
use patchbay_shared::{AppError, Cursor, Page, zone};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::link::{FORMAT, Link, is_as_written};
use super::store::{changes, fields};
use super::told::told_changes;
use crate::model::{PlatformEvent, PlatformPage, PlatformQuery};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// The hash before the first row.
fn beginning() -> Vec<u8> {
    Sha256::digest("platform").to_vec()
}

/// Adds a row to the platform's chain, in a transaction that spans. `agency`: whom it was done to; its name is kept as it is now.
pub async fn append(conn: &mut PgConnection, event: NewEvent<'_>, agency: Option<Uuid>) -> Result<(), AppError> {
    sqlx::query!("insert into platform_head (seq, hash) values (0, $1) on conflict do nothing", beginning())
        .execute(&mut *conn)
        .await?;
    let head = sqlx::query!("select seq, hash from platform_head for update").fetch_one(&mut *conn).await?;
    let name =
        sqlx::query_scalar!("select name from workspaces where id = $1", agency).fetch_optional(&mut *conn).await?;
    let (id, seq) = (Uuid::now_v7(), head.seq + 1);
    let at = chrono::SubsecRound::trunc_subsecs(chrono::Utc::now(), 6);
    let link = Link {
        format: FORMAT,
        previous: &head.hash,
        chain: None,
        seq,
        id,
        user_id: event.user_id,
        actor: &event.actor,
        action: event.action,
        entity: event.entity,
        entity_id: event.entity_id,
        client_id: None,
        agency: agency.map(|id| (id, name.as_deref())),
        kind: Some(event.kind.as_str()),
        before: event.before.as_ref(),
        after: event.after.as_ref(),
        ip: event.ip.as_deref(),
        request_id: event.request_id.as_deref(),
        at,
        api_key_id: None,
        support_session_id: None,
    };
    let hash = link.hash();
    sqlx::query!(
        "insert into platform_events (seq, id, user_id, actor, action, entity, entity_id, agency_id, agency, kind, before, after, ip,
                                      request_id, previous_hash, hash, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        seq,
        id,
        event.user_id,
        event.actor,
        event.action,
        event.entity,
        event.entity_id,
        agency,
        name,
        event.kind.as_str(),
        event.before,
        event.after,
        event.ip,
        event.request_id,
        head.hash,
        hash,
        at,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update platform_head set seq = $1, hash = $2", seq, hash).execute(conn).await?;
    Ok(())
}

/// Walks the platform's chain. `Ok(n)`: all n rows are as they were written; `Err(seq)`: it breaks at that row.
pub async fn verify(tx: &mut SystemTx) -> Result<Result<i64, i64>, AppError> {
    // One picture of head and rows: the log goes on growing meanwhile.
    sqlx::raw_sql("set transaction isolation level repeatable read").execute(tx.conn()).await?;
    let head = sqlx::query!("select seq, hash from platform_head").fetch_optional(tx.conn()).await?;
    let Some(head) = head else { return Ok(Ok(0)) };
    let (mut previous, mut expected) = (beginning(), 1);
    loop {
        let rows = sqlx::query!(
            "select seq, id, user_id, actor, action, entity, entity_id, agency_id, agency, kind, before, after, ip, request_id,
                    previous_hash, hash, created_at
             from platform_events where seq >= $1 order by seq limit 1000",
            expected
        )
        .fetch_all(tx.conn())
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let link = Link {
                format: FORMAT,
                previous: &previous,
                chain: None,
                seq: row.seq,
                id: row.id,
                user_id: row.user_id,
                actor: &row.actor,
                action: &row.action,
                entity: &row.entity,
                entity_id: row.entity_id,
                client_id: None,
                agency: row.agency_id.map(|id| (id, row.agency.as_deref())),
                kind: Some(&row.kind),
                before: row.before.as_ref(),
                after: row.after.as_ref(),
                ip: row.ip.as_deref(),
                request_id: row.request_id.as_deref(),
                at: row.created_at,
                api_key_id: None,
                support_session_id: None,
            };
            if row.seq != expected || row.previous_hash != previous || !is_as_written(&link, &row.hash) {
                return Ok(Err(expected));
            }
            previous = row.hash;
            expected += 1;
        }
    }
    Ok(if head.seq == expected - 1 && head.hash == previous { Ok(head.seq) } else { Err(expected) })
}

/// The visitor, if they are a platform admin. For everybody else there is no such log. Errors: `NotFound`, `NotSignedIn`.
pub(crate) fn admin() -> Result<Visitor, AppError> {
    check(visitor()?)
}

/// The same for a visitor whom a route knows.
pub(crate) fn check(visitor: Visitor) -> Result<Visitor, AppError> {
    if visitor.viewer()?.may(Action::ManagePlatform) { Ok(visitor) } else { Err(AppError::NotFound) }
}

/// Events by newest first, `limit` of them. Errors: `Invalid` at a date.
pub(crate) async fn list(
    visitor: &Visitor,
    query: &PlatformQuery,
    limit: usize,
) -> Result<Page<PlatformEvent>, AppError> {
    let zone = zone::zone(&visitor.viewer()?.timezone);
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<i64>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let now = chrono::Utc::now();
    let span = zone::days(query.from.as_deref(), query.to.as_deref(), zone)?;
    let some =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut tx = SystemTx::open(&visitor.db, "the platform's log").await?;
    let rows = sqlx::query!(
        "select seq, created_at, actor, action, entity, entity_id, agency_id, agency, before, after, ip from platform_events e
         where ($1::text is null or action = $1) and ($2::text is null or actor ilike '%' || $2 || '%')
           and ($3::text is null or agency ilike '%' || $3 || '%' or agency_id::text = $3)
           and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
           and ($6::bigint is null or ($7 and seq < $6) or (not $7 and seq > $6))
         order by case when $7 then seq end desc, case when not $7 then seq end limit $8",
        some(&query.action),
        some(&query.actor),
        some(&query.agency),
        span.from,
        span.before,
        key,
        older,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| PlatformEvent {
            seq: row.seq,
            at: zone::exact(row.created_at, now, zone),
            actor: row.actor,
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id.map(|id| id.to_string()),
            agency: row.agency_id.map(|id| (id.to_string(), row.agency.unwrap_or_else(|| id.to_string()))),
            ip: row.ip,
            changes: changes(fields("platform", row.before.as_ref(), row.after.as_ref(), false)),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.seq.to_string()))
}

/// A page with the words for its filter.
pub(crate) async fn page(visitor: &Visitor, query: &PlatformQuery) -> Result<PlatformPage, AppError> {
    let (zone, now) = (zone::zone(&visitor.viewer()?.timezone), chrono::Utc::now());
    let page = list(visitor, query, PAGE).await?;
    let page = page.map(|row| PlatformEvent { changes: told_changes(row.changes, now, zone), ..row });
    let mut tx = SystemTx::open(&visitor.db, "the platform's log").await?;
    let actions = sqlx::query_scalar!(
        r#"with recursive kinds as (
             (select action from platform_events order by action limit 1)
             union all
             select (select e.action from platform_events e where e.action > kinds.action order by e.action limit 1)
             from kinds where kinds.action is not null
           ) select action as "action!" from kinds where action is not null"#
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(PlatformPage { page, actions })
}
