//! Support sessions: the only way for a platform admin to see an agency's data. Announced to the agency, audited in its own audit log,
//! an hour at most, and nothing can be changed in one.

use serde_json::json;

use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, SESSION_SUPPORT, Scope, Visitor, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{SupportSessionId, WorkspaceId};

/// Minutes that a session lasts.
const MINUTES: i32 = 60;

/// Opens a session over one workspace. Errors: `Invalid` at `reason`.
pub(crate) async fn open(visitor: &Visitor, workspace: WorkspaceId, reason: &str) -> Result<(), AppError> {
    let scope = visitor.platform_scope(workspace)?;
    let reason = reason.trim();
    if !(1..=500).contains(&reason.chars().count()) {
        return Err(AppError::invalid("reason", "Write why, in up to 500 characters: the agency reads it."));
    }
    let (id, admin) = (SupportSessionId::new(), visitor.viewer()?.user_id);
    let mut tx = scope.write(Action::ManagePlatform).await?;
    let found = sqlx::query!("select id from workspaces where id = $1", workspace.0).fetch_optional(tx.conn()).await?;
    found.ok_or(AppError::NotFound)?;
    sqlx::query!(
        "insert into support_sessions (id, workspace_id, admin_id, reason, expires_at)
         values ($2, $1, $3, $4, now() + make_interval(mins => $5))",
        tx.workspace_uuid(),
        id.0,
        admin.0,
        reason,
        MINUTES
    )
    .execute(tx.conn())
    .await?;
    let facts = json!({ "reason": reason, "minutes": MINUTES });
    record(&mut tx, id, "opened", Fields::Created(facts)).await?;
    tx.commit().await?;
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    session.insert(SESSION_SUPPORT, id.0).await.map_err(internal)?;
    // A new id, as with every change of what a session may do.
    session.cycle_id().await.map_err(internal)
}

/// Ends the session that the visitor is in.
pub async fn end(visitor: &Visitor) -> Result<(), AppError> {
    let (scope, support): (Scope, _) = visitor.support_scope()?;
    let mut tx = scope.write(Action::ManagePlatform).await?;
    let done = sqlx::query!(
        "update support_sessions set ended_at = now() where workspace_id = $1 and id = $2 and ended_at is null",
        tx.workspace_uuid(),
        support.id.0
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        let state = |open: bool| json!({ "admin": support.admin, "reason": support.reason, "open": open });
        record(&mut tx, support.id, "ended", Fields::Changed { before: state(true), after: state(false) }).await?;
    }
    tx.commit().await?;
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    session.remove::<uuid::Uuid>(SESSION_SUPPORT).await.map_err(internal)?;
    session.cycle_id().await.map_err(internal)
}

async fn record(tx: &mut WriteTx, id: SupportSessionId, action: &str, fields: Fields) -> Result<(), AppError> {
    let (entity, entity_id) = ("support_session", Some(id.0));
    tx.audit(Change { action, entity, entity_id, client_id: None, fields: fields.clone() }).await?;
    tx.audit_platform(Change { action, entity, entity_id, client_id: None, fields }).await?;
    tx.notify(Topic::list("support"), None);
    Ok(())
}
