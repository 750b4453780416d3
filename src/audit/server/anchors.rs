//! Heads of chains sealed with the installation's key. Whoever can write to the database can make a chain anew from the first row on;
//! without the key the heads that were sealed on the way cannot be made with it.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use patchbay_access::Action;
use patchbay_access::server::{Change, Db, Fields, Machine, ReadTx, Scope, SystemTx, WriteTx};
use patchbay_providers::Binding;
use patchbay_providers::KeyRing;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::WorkspaceId;
use patchbay_workspaces::server::rules;

/// Seals and prunes the audit log: both belong to reading it.
const UPKEEP: Machine = Machine { name: "audit upkeep", actions: &[Action::ReadAudit] };

/// For every agency: seals the head of its chain if it has moved, and removes events that it no longer keeps.
pub async fn keep_all(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "audit upkeep").await?;
    let ids = sqlx::query_scalar!("select id from workspaces").fetch_all(tx.conn()).await?;
    drop(tx);
    for id in ids {
        // One agency's trouble is not the others'.
        if let Err(error) = keep(&Scope::of_upkeep(db.clone(), WorkspaceId(id), UPKEEP)).await {
            tracing::warn!(workspace_id = %id, cause = %error, "this audit log will be sealed in an hour");
        }
    }
    Ok(())
}

/// The same for one agency. Safe to repeat.
pub async fn keep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReadAudit).await?;
    let days = rules::get(tx.reading()).await?.audit_days;
    if let Some(days) = days {
        let cut = sqlx::query_scalar!("select prune_audit_events($1)", days).fetch_one(tx.conn()).await?;
        if let Some(cut) = cut {
            seal_base(&mut tx, cut).await?;
            let fields = Fields::Happened(json!({ "up to event": cut, "kept for days": days }));
            let (action, entity) = ("removed old events", "audit_trail");
            tx.audit(Change { action, entity, entity_id: None, client_id: None, fields }).await?;
        }
    }
    seal(&mut tx).await?;
    tx.commit().await
}

async fn seal(tx: &mut WriteTx) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    let head = sqlx::query!(
        "select seq, hash from audit_heads h where workspace_id = $1
           and not exists (select from audit_anchors a where a.workspace_id = $1 and a.seq >= h.seq)",
        w
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(head) = head else { return Ok(()) };
    let hash = hex::encode(head.hash);
    let sealed = tx.services().ring.seal(&place(w, head.seq), &hash).map_err(internal)?;
    sqlx::query!(
        "insert into audit_anchors (workspace_id, seq, sealed) values ($1, $2, $3) on conflict do nothing",
        w,
        head.seq,
        sealed
    )
    .execute(tx.conn())
    .await?;
    // Where logs are kept elsewhere, this line is a second witness.
    tracing::info!(workspace_id = %w, seq = head.seq, hash, "audit log sealed");
    Ok(())
}

/// Where the kept part begins is sealed as well: else whoever can write to the database could begin it where they like.
async fn seal_base(tx: &mut WriteTx, cut: i64) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    let hash = sqlx::query_scalar!(r#"select base_hash as "hash!" from audit_heads where workspace_id = $1"#, w)
        .fetch_one(tx.conn())
        .await?;
    let sealed = tx.services().ring.seal(&base_place(w, cut), &hex::encode(hash)).map_err(internal)?;
    sqlx::query!("update audit_heads set base_seal = $2 where workspace_id = $1", w, sealed).execute(tx.conn()).await?;
    Ok(())
}

fn base_place(workspace: Uuid, seq: i64) -> Binding {
    Binding::new(workspace, format!("audit:{seq}"), "base")
}

/// Whether this seal says that the kept part begins after event `seq`, which had this hash.
pub(super) fn is_base(ring: &KeyRing, workspace: Uuid, seq: i64, hash: &[u8], sealed: Option<&str>) -> bool {
    let said = sealed.and_then(|sealed| ring.open::<String>(&base_place(workspace, seq), sealed).ok());
    said.is_some_and(|said| said == hex::encode(hash))
}

/// The sealed heads by number. None: the seal is broken.
pub(super) async fn all(tx: &mut ReadTx) -> Result<BTreeMap<i64, Option<Vec<u8>>>, AppError> {
    let w = tx.workspace_uuid();
    let rows =
        sqlx::query!("select seq, sealed from audit_anchors where workspace_id = $1", w).fetch_all(tx.conn()).await?;
    let ring = &tx.services().ring;
    let open = |seq: i64, sealed: &str| {
        ring.open::<String>(&place(w, seq), sealed).ok().and_then(|hash| hex::decode(hash).ok())
    };
    Ok(rows.into_iter().map(|row| (row.seq, open(row.seq, &row.sealed))).collect())
}

fn place(workspace: Uuid, seq: i64) -> Binding {
    Binding::new(workspace, format!("audit:{seq}"), "head")
}
