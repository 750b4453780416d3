use serde_json::json;

use super::store;
use crate::access::server::{Change, Db, Scope, SystemTx, WriteTx};
use crate::access::{Action, Role};
use crate::members::model::{Invited, is_address};
use crate::members::server::invitations;
use crate::platform::model::{WorkspacePlan, WorkspaceStatus, slug_of};
use crate::shared::ids::UserId;
use crate::shared::{AppError, FieldErrors};
use crate::sign_in::server::{check_new, hash_password};

/// Creates an agency with its owner: the workspace that `scope` names. Errors: `Invalid` at name, email or password.
pub async fn create_workspace(
    scope: &Scope,
    name: &str,
    owner_name: &str,
    email: &str,
    password: &str,
    timezone: &str,
) -> Result<UserId, AppError> {
    check_person(owner_name, email, password, |errors| {
        check_workspace(name, timezone, errors);
    })?;
    let hash = hash_password(password.to_owned()).await?;
    let (id, owner) = (scope.workspace_id(), UserId::new());
    let mut tx = scope.write(Action::ManagePlatform).await?;
    store::insert_workspace(&mut tx, name.trim(), &slug_of(name), timezone).await?;
    store::insert_user(tx.conn(), owner, Some(id), owner_name, email, Role::AgencyOwner, &hash).await?;
    store::set_owner(&mut tx, owner).await?;
    record(&mut tx, "created", json!({ "name": name.trim(), "owner": email })).await?;
    tx.commit().await?;
    Ok(owner)
}

/// Creates an agency and invites its owner: the workspace that `scope` names. The link comes back when no e-mail is sent.
/// Errors: `Invalid` at workspace or email.
pub async fn found_workspace(
    scope: &Scope,
    name: &str,
    email: &str,
    plan: WorkspacePlan,
    timezone: &str,
) -> Result<Invited, AppError> {
    let mut errors = FieldErrors::default();
    check_workspace(name, timezone, &mut errors);
    if !is_address(email.trim()) {
        errors.add("email", "Write the owner's full e-mail address, for example ada@example.com.");
    }
    errors.check()?;
    let mut tx = scope.write(Action::ManagePlatform).await?;
    store::insert_workspace(&mut tx, name.trim(), &slug_of(name), timezone).await?;
    store::set_plan(&mut tx, plan).await?;
    record(&mut tx, "created", json!({ "name": name.trim(), "plan": plan, "owner": email.trim() })).await?;
    let invited = invitations::issue(&mut tx, email.trim(), Role::AgencyOwner, None).await?;
    tx.commit().await?;
    Ok(invited)
}

/// Creates a platform admin. Only from the command line.
pub async fn create_admin(db: &Db, name: &str, email: &str, password: &str) -> Result<(), AppError> {
    check_person(name, email, password, |_| {})?;
    let hash = hash_password(password.to_owned()).await?;
    let mut tx = SystemTx::open(db, "new platform admin").await?;
    store::insert_user(tx.conn(), UserId::new(), None, name, email, Role::Admin, &hash).await?;
    tx.commit().await
}

/// Suspends or reactivates the agency that `scope` names. Doing it twice changes nothing. The reason is kept in the agency's own
/// audit trail.
pub async fn set_status(scope: &Scope, status: WorkspaceStatus, reason: &str) -> Result<(), AppError> {
    let reason = reason.trim();
    if status == WorkspaceStatus::Suspended && reason.is_empty() {
        return Err(AppError::invalid("reason", "Write why: the agency's owner will read it in the audit trail."));
    }
    let mut tx = scope.write(Action::ManagePlatform).await?;
    if store::set_status(&mut tx, status).await? {
        record(&mut tx, status.as_str(), json!({ "status": status, "reason": reason })).await?;
    }
    tx.commit().await
}

fn check_workspace(name: &str, timezone: &str, errors: &mut FieldErrors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("workspace", "Give the agency a name of up to 120 characters.");
    }
    if timezone.parse::<chrono_tz::Tz>().is_err() {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
}

async fn record(tx: &mut WriteTx, action: &str, after: serde_json::Value) -> Result<(), AppError> {
    let id = tx.w();
    tx.audit(Change {
        action,
        entity: "workspace",
        entity_id: Some(id),
        client_id: None,
        before: None,
        after: Some(after),
    })
    .await
}

fn check_person(name: &str, email: &str, password: &str, more: impl FnOnce(&mut FieldErrors)) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    more(&mut errors);
    crate::members::model::check_person(name, email, &mut errors);
    check_new(password, &[email, name], &mut errors);
    errors.check()
}
