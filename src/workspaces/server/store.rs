//! All statements that change `workspaces`.

use sqlx::types::Json;

use super::limits;
use crate::model::{Agreed, Limits, WorkspacePlan, WorkspaceStatus};
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::UserId;

/// Writes the workspace that the transaction is in.
pub async fn insert(tx: &mut WriteTx, name: &str, slug: &str, timezone: &str) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!("insert into workspaces (id, name, slug, timezone) values ($1, $2, $3, $4)", w, name, slug, timezone)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub async fn set_owner(tx: &mut WriteTx, owner: UserId) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!("update workspaces set owner_id = $2 where id = $1", w, owner.0).execute(tx.conn()).await?;
    Ok(())
}

/// What was agreed in place of the plan's own limits.
pub async fn set_agreed(tx: &mut WriteTx, agreed: Agreed) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!(
        "update workspaces set settings = jsonb_set(settings, '{limits}', $2), updated_at = now() where id = $1",
        w,
        serde_json::json!(agreed)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True if nobody owns the agency yet; locked until the commit.
pub async fn has_no_owner(tx: &mut WriteTx) -> Result<bool, AppError> {
    let w = tx.workspace_uuid();
    let row = sqlx::query_scalar!(
        r#"select owner_id is null as "is_free!" from workspaces where id = $1 for no key update"#,
        w
    );
    Ok(row.fetch_one(tx.conn()).await?)
}

/// Until the commit nobody else finds out whether anybody waits for events: each sees what those before have committed.
pub async fn lock_tells_others(tx: &mut WriteTx) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query_scalar!("select tells_others from workspaces where id = $1 for no key update", w)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// Whether an endpoint of webhooks, an integration or a rule of text messages waits for events of the agency. After `lock_tells_others`.
pub async fn set_tells_others(tx: &mut WriteTx, tells: bool) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!(
        "update workspaces set tells_others = $2, updated_at = now() where id = $1 and tells_others <> $2",
        w,
        tells
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True if the plan changed.
pub async fn set_plan(tx: &mut WriteTx, plan: WorkspacePlan) -> Result<bool, AppError> {
    let w = tx.workspace_uuid();
    let done = sqlx::query!(
        "update workspaces set plan = $2, updated_at = now() where id = $1 and plan <> $2",
        w,
        plan as WorkspacePlan
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first owner who accepts an invitation owns the agency.
pub async fn claim_ownership(tx: &mut WriteTx, owner: UserId) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!("update workspaces set owner_id = $2 where id = $1 and owner_id is null", w, owner.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Told, in its transaction, that the workspace is active again: what waited for that goes on. Boot gives it.
pub struct Reactivated(pub for<'a> fn(&'a mut WriteTx) -> HookFuture<'a>);

/// True if the state changed.
pub async fn set_status(tx: &mut WriteTx, status: WorkspaceStatus) -> Result<bool, AppError> {
    let w = tx.workspace_uuid();
    let done = sqlx::query!(
        "update workspaces set status = $2, updated_at = now() where id = $1 and status <> $2",
        w,
        status as WorkspaceStatus
    )
    .execute(tx.conn())
    .await?;
    let changed = done.rows_affected() == 1;
    if changed && status == WorkspaceStatus::Active {
        let reactivated = tx.services().hooks.get::<Reactivated>()?.0;
        reactivated(tx).await?;
    }
    Ok(changed)
}

/// An agency belongs to one of its active owners: when its owner is none any more, to the one who has been there longest.
pub async fn settle_ownership(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "update workspaces set owner_id = (select id from users where workspace_id = $1 and role = 'agency_owner' and status = 'active'
                                           order by created_at, id limit 1)
         where id = $1 and not exists (select from users u where u.workspace_id = $1 and u.id = owner_id
                                       and u.role = 'agency_owner' and u.status = 'active')",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What dialling needs to know of the workspace.
pub struct DiallingCapacity {
    /// Calls up to which batches dial: what the agency allows itself, at most what the platform grants.
    pub lines: i64,
    /// Calls at once of all kinds: what the platform grants. Who calls a number may have what batches leave.
    pub granted: i64,
    pub suspended: bool,
    /// The provider asked not to be asked for so long.
    pub hold: Option<std::time::Duration>,
}

/// Locked until the commit: batches of one workspace, and calls that come in, count the free lines one after the other.
pub async fn lock_capacity(tx: &mut WriteTx) -> Result<DiallingCapacity, AppError> {
    let row = sqlx::query!(
        r#"select plan as "plan: WorkspacePlan", settings -> 'limits' as limits, (settings ->> 'concurrency')::bigint as concurrency,
                  status = 'suspended' as "suspended!",
                  extract(epoch from (settings ->> 'voice_hold_until')::timestamptz - clock_timestamp())::float8 as hold
           from workspaces where id = $1 for no key update"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?;
    let hold = row.hold.filter(|seconds| *seconds > 0.0).map(std::time::Duration::from_secs_f64);
    let granted = Limits::of(row.plan, limits::read(row.limits)).lines;
    let lines = row.concurrency.map_or(granted, |own| own.min(granted));
    Ok(DiallingCapacity { lines, granted, suspended: row.suspended, hold })
}

/// Nobody in the workspace asks the provider for a call for so long. A longer hold stays.
pub async fn hold(tx: &mut WriteTx, wait: std::time::Duration) -> Result<(), AppError> {
    sqlx::query!(
        "update workspaces set settings = jsonb_set(settings, '{voice_hold_until}', to_jsonb(
           greatest((settings ->> 'voice_hold_until')::timestamptz, clock_timestamp() + make_interval(secs => $2))))
         where id = $1",
        tx.workspace_uuid(),
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether nothing may be dialled in the whole workspace.
pub async fn is_suspended(tx: &mut ReadTx) -> Result<bool, AppError> {
    let w = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(r#"select status = 'suspended' as "suspended!" from workspaces where id = $1"#, w)
        .fetch_one(tx.conn())
        .await?)
}

/// Sets the agency's brand, as the crate `brand` reads it. Errors: `NotFound`.
pub async fn set_branding(tx: &mut WriteTx, branding: &serde_json::Value) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    let done = sqlx::query!(
        "update workspaces set branding = $2, updated_at = now() where id = $1",
        w,
        Json(branding) as Json<&serde_json::Value>
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(AppError::NotFound) }
}

/// Says whether calls are Patchbay's own stand-ins.
pub async fn set_sandbox(tx: &mut WriteTx, sandbox: bool) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    sqlx::query!(
        "update workspaces set settings = jsonb_set(settings, '{sandbox}', to_jsonb($2::boolean)), updated_at = now() where id = $1",
        w,
        sandbox
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes that the demo's agencies are complete, so that another start does not make them again.
pub async fn mark_demo(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "demo").await?;
    sqlx::query!(r#"update workspaces set settings = settings || '{"demo": true}'"#).execute(tx.conn()).await?;
    tx.commit().await
}
