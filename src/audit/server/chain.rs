use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::anchors;
use super::link::{FORMAT, Link, is_as_written};
use patchbay_access::server::{NewEvent, ReadTx, WriteTx};
use patchbay_shared::AppError;

/// Adds a row to the workspace's chain. The head row stays locked until the commit: rows get their places in commit order,
/// without gaps, and other workspaces are not held up.
pub async fn append(tx: &mut WriteTx, event: NewEvent<'_>) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into audit_heads (workspace_id, seq, hash) values ($1, 0, $2) on conflict do nothing",
        workspace,
        Sha256::digest(workspace.as_bytes()).to_vec()
    )
    .execute(tx.conn())
    .await?;
    let head = sqlx::query!(
        "select seq, hash, now() as \"now!\" from audit_heads where workspace_id = $1 for update",
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    let (id, seq) = (Uuid::now_v7(), head.seq + 1);
    // Microseconds, as the database keeps them, so that the hash can be made again from the row.
    let at = chrono::SubsecRound::trunc_subsecs(chrono::Utc::now(), 6);
    let link = Link {
        format: FORMAT,
        previous: &head.hash,
        chain: Some(workspace),
        seq,
        id,
        user_id: event.user_id,
        actor: &event.actor,
        action: event.action,
        entity: event.entity,
        entity_id: event.entity_id,
        client_id: event.client_id,
        agency: None,
        kind: Some(event.kind.as_str()),
        before: event.before.as_ref(),
        after: event.after.as_ref(),
        ip: event.ip.as_deref(),
        request_id: event.request_id.as_deref(),
        at,
        api_key_id: event.api_key_id,
        support_session_id: event.support_session_id,
    };
    let hash = link.hash();
    sqlx::query!(
        "insert into audit_events (workspace_id, id, seq, user_id, actor, action, entity, entity_id, client_id, before, after,
                                   ip, request_id, previous_hash, hash, created_at, api_key_id, format, kind, support_session_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        workspace,
        id,
        seq,
        event.user_id,
        event.actor,
        event.action,
        event.entity,
        event.entity_id,
        event.client_id,
        event.before,
        event.after,
        event.ip,
        event.request_id,
        head.hash,
        hash,
        at,
        event.api_key_id,
        FORMAT,
        event.kind.as_str(),
        event.support_session_id,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("update audit_heads set seq = $2, hash = $3 where workspace_id = $1", workspace, seq, hash)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Walks the kept part of the chain. `Ok(n)`: all rows up to the nth are as they were written, and agree with the heads that were sealed on
/// the way; `Err(seq)`: the chain breaks at that row.
pub async fn verify(tx: &mut ReadTx) -> Result<Result<i64, i64>, AppError> {
    let workspace = tx.workspace_uuid();
    // One picture of head, seals and rows: the audit log goes on growing meanwhile.
    sqlx::raw_sql("set transaction isolation level repeatable read").execute(tx.conn()).await?;
    let head = sqlx::query!(
        "select seq, hash, base_seq, base_hash, base_seal from audit_heads where workspace_id = $1",
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(head) = head else { return Ok(Ok(0)) };
    let beginning = head.base_hash.unwrap_or_else(|| Sha256::digest(workspace.as_bytes()).to_vec());
    let (mut previous, mut expected) = (beginning, head.base_seq + 1);
    if head.base_seq > 0
        && !anchors::is_base(&tx.services().ring, workspace, head.base_seq, &previous, head.base_seal.as_deref())
    {
        return Ok(Err(head.base_seq));
    }
    let mut seals = anchors::all(tx).await?;
    if seals.remove(&head.base_seq).is_some_and(|hash| hash.as_ref() != Some(&previous)) {
        return Ok(Err(head.base_seq));
    }
    loop {
        let rows = sqlx::query!(
            "select id, seq, user_id, actor, action, entity, entity_id, client_id, before, after, ip, request_id, previous_hash, hash,
                    created_at, api_key_id, format, kind, support_session_id
             from audit_events where workspace_id = $1 and seq >= $2 order by seq limit 1000",
            workspace,
            expected
        )
        .fetch_all(tx.conn())
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let link = Link {
                format: row.format,
                previous: &previous,
                chain: Some(workspace),
                seq: row.seq,
                id: row.id,
                user_id: row.user_id,
                actor: &row.actor,
                action: &row.action,
                entity: &row.entity,
                entity_id: row.entity_id,
                client_id: row.client_id,
                agency: None,
                kind: row.kind.as_deref(),
                before: row.before.as_ref(),
                after: row.after.as_ref(),
                ip: row.ip.as_deref(),
                request_id: row.request_id.as_deref(),
                at: row.created_at,
                api_key_id: row.api_key_id,
                support_session_id: row.support_session_id,
            };
            if row.seq != expected || row.previous_hash != previous || !is_as_written(&link, &row.hash) {
                return Ok(Err(expected));
            }
            if seals.remove(&row.seq).is_some_and(|hash| hash.as_ref() != Some(&row.hash)) {
                return Ok(Err(expected));
            }
            previous = row.hash;
            expected += 1;
        }
    }
    let is_whole = head.seq == expected - 1 && head.hash == previous && seals.keys().all(|seq| *seq <= head.base_seq);
    Ok(if is_whole { Ok(head.seq) } else { Err(expected) })
}
