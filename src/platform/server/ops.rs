use super::store;
use crate::access::server::{Change, Db, Scope, SystemTx};
use crate::access::{Action, Role};
use crate::platform::model::{WorkspaceStatus, slug_of};
use crate::shared::ids::{UserId, WorkspaceId};
use crate::shared::{AppError, FieldErrors};
use crate::sign_in::server::{check_new, hash_password};

/// Creates an agency with its owner. Errors: `Invalid` at name, email or password.
pub async fn create_workspace(
    db: &Db,
    name: &str,
    owner_name: &str,
    email: &str,
    password: &str,
    timezone: &str,
) -> Result<(WorkspaceId, UserId), AppError> {
    check_person(owner_name, email, password, |errors| {
        if !(1..=120).contains(&name.trim().chars().count()) {
            errors.add("workspace", "Give the agency a name of up to 120 characters.");
        }
    })?;
    let hash = hash_password(password.to_owned()).await?;
    let (workspace_id, user_id) = (WorkspaceId::new(), UserId::new());
    let mut tx = SystemTx::open(db, "new workspace").await?;
    store::insert_workspace(&mut tx, workspace_id, name.trim(), &slug_of(name), timezone).await?;
    store::insert_user(&mut tx, user_id, Some(workspace_id), owner_name, email, Role::AgencyOwner, &hash).await?;
    store::set_owner(&mut tx, workspace_id, user_id).await?;
    tx.commit().await?;
    record(db, workspace_id, "created", serde_json::json!({ "name": name.trim(), "owner": email })).await?;
    Ok((workspace_id, user_id))
}

/// Creates a platform admin. Only from the command line.
pub async fn create_admin(db: &Db, name: &str, email: &str, password: &str) -> Result<(), AppError> {
    check_person(name, email, password, |_| {})?;
    let hash = hash_password(password.to_owned()).await?;
    let mut tx = SystemTx::open(db, "new platform admin").await?;
    store::insert_user(&mut tx, UserId::new(), None, name, email, Role::Admin, &hash).await?;
    tx.commit().await
}

/// Suspends or reactivates an agency. Doing it twice changes nothing. The reason is kept in the agency's own audit trail.
pub async fn set_status(db: &Db, id: WorkspaceId, status: WorkspaceStatus, reason: &str) -> Result<(), AppError> {
    let reason = reason.trim();
    if status == WorkspaceStatus::Suspended && reason.is_empty() {
        return Err(AppError::invalid("reason", "Write why: the agency's owner will read it in the audit trail."));
    }
    let mut tx = SystemTx::open(db, "suspend workspace").await?;
    let changed = store::set_status(&mut tx, id, status).await?;
    tx.commit().await?;
    if changed {
        record(db, id, status.as_str(), serde_json::json!({ "status": status, "reason": reason })).await?;
    }
    Ok(())
}

async fn record(db: &Db, id: WorkspaceId, action: &str, after: serde_json::Value) -> Result<(), AppError> {
    let mut tx = Scope::of_job(db.clone(), id, "platform").write(Action::ManagePlatform).await?;
    tx.audit(Change {
        action,
        entity: "workspace",
        entity_id: Some(id.0),
        client_id: None,
        before: None,
        after: Some(after),
    })
    .await?;
    tx.commit().await
}

fn check_person(name: &str, email: &str, password: &str, more: impl FnOnce(&mut FieldErrors)) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    more(&mut errors);
    crate::members::model::check_person(name, email, &mut errors);
    check_new(password, email, &mut errors);
    errors.check()
}
