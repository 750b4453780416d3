use super::store;
use crate::access::server::{Change, Scope, SystemTx, WriteTx};
use crate::access::{Action, Role};
use crate::jobs::live::Topic;
use crate::members::model::{NewMember, UserStatus, check_person, grantable};
use crate::shared::ids::{ClientId, UserId};
use crate::shared::{AppError, FieldErrors};
use crate::sign_in::server::{check_new, hash_password};

/// Adds a person with a first password. Nobody gives a role above their own; a client's admin adds viewers of that client.
pub async fn create(scope: &Scope, new: &NewMember) -> Result<UserId, AppError> {
    // Opened for its check and let go: who may add nobody hears that before anything about the form.
    drop(scope.write(Action::ManageViewers).await?);
    let mut errors = FieldErrors::default();
    check_person(&new.name, &new.email, &mut errors);
    check_new(&new.password, &new.email, &mut errors);
    let role = new.role.parse::<Role>().ok();
    let allowed = scope.viewer().map_or(&[][..], |viewer| grantable(viewer.role));
    let role = role.filter(|role| scope.viewer().is_none() || allowed.contains(role));
    if role.is_none() {
        errors.add("role", "Choose a role from the list.");
    }
    let client: Option<ClientId> = match scope.client_id() {
        Some(own) => Some(own),
        None => new.client.parse().ok(),
    };
    if role.is_some_and(Role::is_client) && client.is_none() {
        errors.add("client", "Choose the client that this person belongs to.");
    }
    errors.check()?;
    let role = role.ok_or(AppError::Forbidden)?;
    // Hashing takes a while, so it happens before the transaction opens.
    let hash = hash_password(new.password.clone()).await?;
    let mut tx = scope.write(action_for(role)).await?;
    let (id, client) = (UserId::new(), client.filter(|_| role.is_client()));
    if let Some(client) = client {
        crate::clients::server::store::get(tx.reading(), client).await?;
    }
    store::insert(&mut tx, id, client, new.name.trim(), new.email.trim(), role, &hash).await?;
    let after = serde_json::json!({ "name": new.name.trim(), "email": new.email.trim(), "role": role });
    record(&mut tx, id, client, "created", after).await?;
    tx.commit().await?;
    Ok(id)
}

/// Suspends or reactivates someone; suspending ends all their sessions. Safe to repeat.
/// Errors: `Conflict` for the last active owner.
pub async fn set_status(scope: &Scope, id: UserId, status: UserStatus) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let (_, role, client) = store::get(&mut tx, id).await?;
    may_change(scope, id, role)?;
    if store::set_status(&mut tx, id, status).await? {
        if store::active_owners(&mut tx).await? == 0 {
            return Err(AppError::Conflict(
                "This is the last active owner. Make someone else an owner first, then suspend this one.".into(),
            ));
        }
        record(&mut tx, id, client, status.as_str(), serde_json::json!({ "status": status })).await?;
    }
    tx.commit().await?;
    if status == UserStatus::Suspended {
        end_sessions(scope, id).await?;
    }
    Ok(())
}

/// Ends all sessions of someone.
pub async fn sign_out(scope: &Scope, id: UserId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let (_, role, client) = store::get(&mut tx, id).await?;
    may_change(scope, id, role)?;
    record(&mut tx, id, client, "signed out everywhere", serde_json::json!({})).await?;
    tx.commit().await?;
    end_sessions(scope, id).await
}

/// The viewer's own name and zone.
pub async fn save_profile(scope: &Scope, name: &str, timezone: &str) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("name", "Write your name, up to 120 characters.");
    }
    if timezone.parse::<chrono_tz::Tz>().is_err() {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
    errors.check()?;
    let id = scope.user_id().ok_or(AppError::NotSignedIn)?;
    let mut tx = scope.write(Action::EditOwnProfile).await?;
    store::set_profile(&mut tx, id, name.trim(), timezone).await?;
    let after = serde_json::json!({ "name": name.trim(), "timezone": timezone });
    record(&mut tx, id, scope.client_id(), "changed own profile", after).await?;
    tx.commit().await
}

fn action_for(role: Role) -> Action {
    if role.is_client() { Action::ManageViewers } else { Action::ManageMembers }
}

fn may_change(scope: &Scope, id: UserId, role: Role) -> Result<(), AppError> {
    let viewer = scope.viewer().ok_or(AppError::NotSignedIn)?;
    if viewer.user_id == id {
        return Err(AppError::Conflict("You cannot do this to yourself. Ask another owner or admin.".into()));
    }
    if grantable(viewer.role).contains(&role) { Ok(()) } else { Err(AppError::Forbidden) }
}

async fn end_sessions(scope: &Scope, id: UserId) -> Result<(), AppError> {
    let mut tx = SystemTx::open(scope.db(), "end sessions").await?;
    sqlx::query!("delete from sessions where user_id = $1", id.0).execute(tx.conn()).await?;
    tx.commit().await
}

async fn record(
    tx: &mut WriteTx,
    id: UserId,
    client: Option<ClientId>,
    action: &str,
    after: serde_json::Value,
) -> Result<(), AppError> {
    tx.audit(Change {
        action,
        entity: "user",
        entity_id: Some(id.0),
        client_id: client,
        before: None,
        after: Some(after),
    })
    .await?;
    tx.notify(Topic::list("members"), client);
    Ok(())
}
