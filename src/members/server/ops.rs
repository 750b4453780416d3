//! What people do with members: change roles, suspend, help with lost factors, and their own profile.

use serde_json::json;

use super::{invitations, store};
use crate::model::{Invited, MemberView, UserStatus, grantable};
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_access::{Action, Role};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{ClientId, UserId};
use patchbay_shared::{AppError, FieldErrors, Reason};
use patchbay_sign_in::server::{resets, second_factor, sessions};
use patchbay_users as users;
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// The role and client that a form asks for, as far as the caller may give them. Nobody gives a role above their own; a client's
/// admin lets viewers of that client in. What is wrong is added to `errors`.
pub(super) fn checked_role(
    scope: &Scope,
    role: &str,
    client: &str,
    errors: &mut FieldErrors,
) -> (Option<Role>, Option<ClientId>) {
    let allowed = scope.viewer().map_or(&[][..], |viewer| grantable(viewer.role));
    let role = role.parse::<Role>().ok().filter(|role| allowed.contains(role));
    if role.is_none() {
        errors.add("role", "Choose a role from the list.");
    }
    let client = match scope.client_id() {
        Some(own) => Some(own),
        None => client.parse().ok(),
    };
    if role.is_some_and(Role::is_client) && client.is_none() {
        errors.add("client", "Choose the client that they belong to.");
    }
    (role, client.filter(|_| role.is_some_and(Role::is_client)))
}

/// One person and in how many places they are signed in.
pub(crate) async fn view(scope: &Scope, id: UserId) -> Result<MemberView, AppError> {
    let mut tx = scope.read(Action::ReadMembers).await?;
    store::view(&mut tx, id, sessions::count(scope.db(), id).await?).await
}

/// Gives someone another role. Their sessions end, so that no open page goes on with the old one. Safe to repeat.
/// Errors: `Conflict` for the last active owner.
pub(crate) async fn change_role(scope: &Scope, id: UserId, role: &str, client: &str) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    drop(scope.write(Action::ManageViewers).await?);
    let (role, client) = checked_role(scope, role, client, &mut errors);
    errors.check()?;
    let role = role.ok_or(AppError::Forbidden)?;
    let mut tx = scope.write(action_for(role)).await?;
    let old = store::get(&mut tx, id).await?;
    may_change(scope, id, old.role)?;
    if let Some(client) = client {
        patchbay_clients::server::get(tx.reading(), client)
            .await
            .map_err(|error| error.at_choice("client", "Choose a client of the agency."))?;
    }
    if (old.role, old.client) != (role, client) {
        users::set_role(&mut tx, id, role, client).await?;
        keep_an_owner(&mut tx, old.role, "give this one another role").await?;
        let change = Change {
            action: "changed the role",
            entity: "user",
            entity_id: Some(id.0),
            client_id: client.or(old.client),
            fields: Fields::Changed {
                before: json!({ "name": old.name, "role": old.role, "client": old.client }),
                after: json!({ "name": old.name, "role": role, "client": client }),
            },
        };
        tx.audit(change).await?;
        if let Some(former) = old.client.filter(|former| client.is_some_and(|client| client != *former)) {
            // The other client's log tells its admins that the person is no longer one of theirs, and not where they are now.
            let left = Fields::Deleted(json!({ "name": old.name, "role": old.role }));
            record(&mut tx, id, Some(former), "left the client", left).await?;
        }
        tx.notify(Topic::list("members"), None);
        invitations::withdraw_of(&mut tx, id).await?;
        sessions::end_of(&mut tx, id, None).await?;
    }
    tx.commit().await
}

/// A link for someone's new password, to be handed over by hand. Returned once.
pub(crate) async fn reset_link(scope: &Scope, id: UserId) -> Result<Invited, AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let member = store::get(&mut tx, id).await?;
    may_change(scope, id, member.role)?;
    let facts = Fields::Happened(json!({ "name": member.name, "email": member.email }));
    record(&mut tx, id, member.client, "made a link for a new password", facts).await?;
    let link = resets::make(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Invited { email: member.email, link: Some(link) })
}

/// Forgets the second factor of someone who has lost theirs: the app, recovery codes and passkeys. Their sessions end.
pub(crate) async fn clear_second_factor(scope: &Scope, id: UserId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let member = store::get(&mut tx, id).await?;
    may_change(scope, id, member.role)?;
    let before = second_factor::held(&mut tx, id.0).await?;
    sessions::end_of(&mut tx, id, None).await?;
    second_factor::clear(tx.conn(), id.0).await?;
    let fields = Fields::Changed { before, after: json!({ "authenticator app": false, "passkeys": 0 }) };
    record(&mut tx, id, member.client, "cleared the second factor", fields).await?;
    tx.commit().await
}

/// Suspends or reactivates someone; suspending ends all their sessions. Safe to repeat.
/// Errors: `Conflict` for the last active owner.
pub(crate) async fn set_status(scope: &Scope, id: UserId, status: UserStatus) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let member = store::get(&mut tx, id).await?;
    may_change(scope, id, member.role)?;
    if users::set_active(&mut tx, id, status == UserStatus::Active).await? {
        keep_an_owner(&mut tx, member.role, "suspend this one").await?;
        if status == UserStatus::Active {
            limits::check_limit(&mut tx, Kind::Members).await?;
        }
        let state = |status: UserStatus| json!({ "name": member.name, "status": status });
        let was = if status == UserStatus::Active { UserStatus::Suspended } else { UserStatus::Active };
        let fields = Fields::Changed { before: state(was), after: state(status) };
        record(&mut tx, id, member.client, status.as_str(), fields).await?;
    }
    if status == UserStatus::Suspended {
        invitations::withdraw_of(&mut tx, id).await?;
        sessions::end_of(&mut tx, id, None).await?;
    }
    tx.commit().await
}

/// Ends all sessions of someone.
pub(crate) async fn sign_out(scope: &Scope, id: UserId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let member = store::get(&mut tx, id).await?;
    may_change(scope, id, member.role)?;
    let state = |sessions: i64| json!({ "name": member.name, "sessions": sessions });
    let fields = Fields::Changed { before: state(sessions::count(scope.db(), id).await?), after: state(0) };
    record(&mut tx, id, member.client, "signed out everywhere", fields).await?;
    sessions::end_of(&mut tx, id, None).await?;
    tx.commit().await
}

/// The viewer's own name and zone.
pub(crate) async fn save_profile(scope: &Scope, name: &str, timezone: &str) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("name", "Write your name, up to 120 characters.");
    }
    if !patchbay_shared::zone_names::is_zone(timezone) {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
    errors.check()?;
    let id = scope.user_id().ok_or(AppError::NotSignedIn)?;
    let mut tx = scope.write(Action::EditOwnProfile).await?;
    let was = users::set_profile(&mut tx, id, name.trim(), timezone).await?;
    let fields = Fields::Changed {
        before: json!({ "name": was.name, "timezone": was.timezone }),
        after: json!({ "name": name.trim(), "timezone": timezone }),
    };
    record(&mut tx, id, scope.client_id(), "changed own profile", fields).await?;
    tx.commit().await
}

/// An agency is never without an active owner: asked after an owner was changed, it looks at what this transaction has done so far. For
/// others it does not ask: a client's admin, who suspends a viewer, sees no owners.
async fn keep_an_owner(tx: &mut WriteTx, was: Role, then: &str) -> Result<(), AppError> {
    if was != Role::AgencyOwner {
        return Ok(());
    }
    if store::active_owners(tx).await? > 0 {
        return patchbay_workspaces::server::settle_ownership(tx).await;
    }
    Err(AppError::Conflict(
        Reason::InUse,
        format!("This is the last active owner. Make someone else an owner first, then {then}."),
    ))
}

pub(super) fn action_for(role: Role) -> Action {
    if role.is_client() { Action::ManageViewers } else { Action::ManageMembers }
}

fn may_change(scope: &Scope, id: UserId, role: Role) -> Result<(), AppError> {
    let viewer = scope.viewer().ok_or(AppError::NotSignedIn)?;
    if viewer.user_id == id {
        return Err(AppError::Conflict(
            Reason::WrongPerson,
            "You cannot do this to yourself. Ask another owner or admin.".into(),
        ));
    }
    if grantable(viewer.role).contains(&role) { Ok(()) } else { Err(AppError::Forbidden) }
}

async fn record(
    tx: &mut WriteTx,
    id: UserId,
    client: Option<ClientId>,
    action: &str,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "user", entity_id: Some(id.0), client_id: client, fields }).await?;
    tx.notify(Topic::list("members"), client);
    Ok(())
}
