//! What a platform admin does with agencies: open, limit, suspend and look after them.

use serde_json::json;

use super::store;
use crate::model::{ConnectionHealth, WorkspaceUse, WorkspaceView};
use patchbay_access::server::{Actor, Change, Db, Fields, Machine, Scope, SystemTx, Visitor, WriteTx};
use patchbay_access::{Action, Role};
use patchbay_connections as connections;
use patchbay_connections::model::Provider;
use patchbay_members::model::Invited;
use patchbay_members::server::invitations;
use patchbay_shared::ids::{UserId, WorkspaceId};
use patchbay_shared::slug::slug_of;
use patchbay_shared::{AppError, FieldErrors, Reason, zone};
use patchbay_usage as usage;
use patchbay_users::{self as users, NewUser, check_new, hash_password};
use patchbay_workspaces::model::{Agreed, WorkspacePlan, WorkspaceStatus};
use patchbay_workspaces::server as workspaces;

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
    let hash = hash_password(scope.services(), password.to_owned()).await?;
    let (id, owner) = (scope.workspace_id(), UserId::new());
    let mut tx = scope.write(Action::ManagePlatform).await?;
    workspaces::insert(&mut tx, name.trim(), &slug_of(name), timezone).await?;
    workspaces::rules::init_rules(&mut tx).await?;
    insert_person(tx.conn(), owner, Some(id), owner_name, email, Role::AgencyOwner, &hash).await?;
    workspaces::set_owner(&mut tx, owner).await?;
    record(&mut tx, "created", Fields::Created(json!({ "name": name.trim(), "owner": email }))).await?;
    tx.commit().await?;
    Ok(owner)
}

/// Creates an agency and invites its owner: the workspace that `scope` names. The link comes back when no e-mail is sent.
/// Errors: `Invalid` at workspace or email.
pub(crate) async fn open_workspace(
    scope: &Scope,
    name: &str,
    email: &str,
    plan: WorkspacePlan,
    timezone: &str,
) -> Result<Invited, AppError> {
    let mut errors = FieldErrors::default();
    check_workspace(name, timezone, &mut errors);
    if !patchbay_shared::email::is_address(email.trim()) {
        errors.add("email", "Write the owner's full e-mail address, for example ada@example.com.");
    }
    errors.check()?;
    let mut tx = scope.write(Action::ManagePlatform).await?;
    workspaces::insert(&mut tx, name.trim(), &slug_of(name), timezone).await?;
    workspaces::set_plan(&mut tx, plan).await?;
    workspaces::rules::init_rules(&mut tx).await?;
    let facts = json!({ "name": name.trim(), "plan": plan, "owner": email.trim() });
    record(&mut tx, "created", Fields::Created(facts)).await?;
    let invited = invitations::issue(&mut tx, email.trim(), Role::AgencyOwner, None).await?;
    tx.commit().await?;
    Ok(invited)
}

/// Makes platform admins; what it may do is not asked for, since they belong to no workspace.
const COMMAND_LINE: Machine = Machine { name: "command line", actions: &[] };

/// Creates a platform admin. Only from the command line.
pub async fn create_admin(db: &Db, name: &str, email: &str, password: &str) -> Result<(), AppError> {
    check_person(name, email, password, |_| {})?;
    let hash = hash_password(db.services(), password.to_owned()).await?;
    let mut tx = SystemTx::open(db, "new platform admin").await?;
    let id = UserId::new();
    insert_person(tx.conn(), id, None, name, email, Role::Admin, &hash).await?;
    let change = Change {
        action: "created",
        entity: "user",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::Created(json!({ "name": name.trim(), "email": email.trim(), "role": Role::Admin })),
    };
    tx.audit_platform(db, &Actor::machine(COMMAND_LINE), change).await?;
    tx.commit().await
}

/// Suspends or reactivates the agency that `scope` names. Doing it twice changes nothing. The reason is kept in the agency's own
/// audit log.
pub(crate) async fn set_status(scope: &Scope, status: WorkspaceStatus, reason: &str) -> Result<(), AppError> {
    let reason = reason.trim();
    if status == WorkspaceStatus::Suspended && reason.is_empty() {
        return Err(AppError::invalid("reason", "Write why: the agency's owner will read it in the audit log."));
    }
    let mut tx = scope.write(Action::ManagePlatform).await?;
    if workspaces::set_status(&mut tx, status).await? {
        let was = match status {
            WorkspaceStatus::Active => WorkspaceStatus::Suspended,
            WorkspaceStatus::Suspended => WorkspaceStatus::Active,
        };
        let fields =
            Fields::Changed { before: json!({ "status": was }), after: json!({ "status": status, "reason": reason }) };
        record(&mut tx, status.as_str(), fields).await?;
    }
    tx.commit().await
}

/// Everything about one agency that is the platform's business: what it is, holds and uses. Nothing of its clients.
pub(crate) async fn view(visitor: &Visitor, id: WorkspaceId) -> Result<WorkspaceView, AppError> {
    let scope = visitor.platform_scope(id)?;
    let local = zone::zone(&visitor.viewer()?.timezone);
    let mut system = SystemTx::open(&visitor.db, "platform").await?;
    let found = store::get(&mut system, id, local).await?;
    drop(system);
    let mut tx = scope.read(Action::ManagePlatform).await?;
    let now = tx.now().await?;
    let (_, held) = workspaces::limits::held(&mut tx).await?;
    let total = usage::server::last_thirty_days(&mut tx).await?;
    let connections = connections::server::list(&mut tx).await?;
    let owner_invited = invitations::invited_owner(&mut tx).await?;
    Ok(WorkspaceView {
        row: found.row,
        timezone: found.timezone,
        agreed: found.agreed,
        held,
        use_30: WorkspaceUse { calls: total.calls, minutes: total.minutes(), spend: total.spend() },
        connections: connections
            .into_iter()
            .map(|row| ConnectionHealth {
                provider: row.provider.parse::<Provider>().map_or(row.provider, |provider| provider.label().to_owned()),
                status: row.status,
                error: row.last_error,
                checked: row.last_checked_at.map(|at| zone::stamp(at, now, local)),
            })
            .collect(),
        queues: found.queues,
        owner_invited,
    })
}

/// Changes the plan of the agency that `scope` names, and what was agreed in its place. Doing it twice changes nothing.
pub(crate) async fn set_terms(scope: &Scope, plan: WorkspacePlan, agreed: Agreed) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManagePlatform).await?;
    let (old_plan, old) = workspaces::limits::agreed(tx.reading()).await?;
    if (old_plan, old) != (plan, agreed) {
        workspaces::set_plan(&mut tx, plan).await?;
        workspaces::set_agreed(&mut tx, agreed).await?;
        let fields = Fields::Changed {
            before: json!({ "plan": old_plan, "limits": old }),
            after: json!({ "plan": plan, "limits": agreed }),
        };
        record(&mut tx, "changed", fields).await?;
    }
    tx.commit().await
}

/// Invites the first owner again, at the same address or another; links sent before stop working. Errors: `Conflict` once somebody owns
/// the agency.
pub(crate) async fn invite_owner(scope: &Scope, email: &str) -> Result<Invited, AppError> {
    if !patchbay_shared::email::is_address(email.trim()) {
        return Err(AppError::invalid("email", "Write the owner's full e-mail address, for example ada@example.com."));
    }
    let mut tx = scope.write(Action::ManagePlatform).await?;
    if !workspaces::has_no_owner(&mut tx).await? {
        return Err(AppError::Conflict(Reason::WrongState, "This agency has an owner, who can invite others.".into()));
    }
    invitations::withdraw_owners(&mut tx).await?;
    record(&mut tx, "invited the owner", Fields::Happened(json!({ "email": email.trim() }))).await?;
    let invited = invitations::issue(&mut tx, email.trim(), Role::AgencyOwner, None).await?;
    tx.commit().await?;
    Ok(invited)
}

fn check_workspace(name: &str, timezone: &str, errors: &mut FieldErrors) {
    if !(1..=120).contains(&name.trim().chars().count()) {
        errors.add("workspace", "Give the agency a name of up to 120 characters.");
    }
    if !patchbay_shared::zone_names::is_zone(timezone) {
        errors.add("timezone", "Choose a time zone from the list, for example Europe/Zurich.");
    }
}

/// Into the agency's own audit log, and into the platform's.
async fn record(tx: &mut WriteTx, action: &str, fields: Fields) -> Result<(), AppError> {
    let entity_id = Some(tx.workspace_uuid());
    let change = |fields| Change { action, entity: "workspace", entity_id, client_id: None, fields };
    tx.audit(change(fields.clone())).await?;
    tx.audit_platform(change(fields)).await
}

fn check_person(name: &str, email: &str, password: &str, more: impl FnOnce(&mut FieldErrors)) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    more(&mut errors);
    patchbay_members::model::check_person(name, email, &mut errors);
    check_new(password, &[email, name], &mut errors);
    errors.check()
}

async fn insert_person(
    conn: &mut sqlx::PgConnection,
    id: UserId,
    workspace: Option<WorkspaceId>,
    name: &str,
    email: &str,
    role: Role,
    password_hash: &str,
) -> Result<(), AppError> {
    let new = NewUser { id, workspace, client: None, name, email, role, password_hash };
    users::insert(conn, &new).await
}
