//! Letting people in: an invitation is a link to an address, with a role, good for seven days.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::ops::{action_for, checked_role};
use crate::model::{
    InvitationOffer, InvitationRow, InvitationStatus, Invited, MOST_AT_ONCE, NewInvitations, addresses, check_person,
};
use patchbay_access::server::{Change, Fields, Holder, Machine, ReadTx, Scope, Visitor, WriteTx};
use patchbay_access::{Action, Role};
use patchbay_brand::server::{hosts, ops};
use patchbay_clients::model::ClientStatus;
use patchbay_jobs::live::Topic;
use patchbay_mail as mail;
use patchbay_shared::email::is_address;
use patchbay_shared::ids::{ClientId, InvitationId, UserId, WorkspaceId};
use patchbay_shared::{AppError, Cursor, FieldErrors, Page, Reason, zone};
use patchbay_sign_in::server::{sessions, ticket};
use patchbay_users::{self as users, NewUser, check_new, hash_password};
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// Rows on a page.
pub(crate) const PAGE: usize = 100;
/// Invitations of a workspace in one hour.
const MOST_AN_HOUR: i64 = 500;
/// Days that a link is good for.
const DAYS: i32 = 7;
const SUSPENDED: &str = "This workspace is suspended, so nobody new can join it now. Ask the person who invited you.";
const SPENT: &str = "This invitation has been used, withdrawn, or is more than seven days old. Ask the person who invited you for a new one.";

/// Invites many at once with one role. An address that is invited already gets a new link, and the old one stops working.
/// The links come back only when this installation sends no e-mail. Errors: `Invalid` at `emails`, `role` or `client`.
pub async fn invite(scope: &Scope, new: &NewInvitations) -> Result<Vec<Invited>, AppError> {
    // Opened for its check and let go: who may invite nobody hears that before anything about the form.
    drop(scope.write(Action::ManageViewers).await?);
    let mut errors = FieldErrors::default();
    let (role, client) = checked_role(scope, &new.role, &new.client, &mut errors);
    let emails = checked_addresses(&new.emails, &mut errors);
    errors.check()?;
    let role = role.ok_or(AppError::Forbidden)?;
    let mut tx = scope.write(action_for(role)).await?;
    if let Some(client) = client {
        patchbay_clients::server::get(tx.reading(), client)
            .await
            .map_err(|error| error.at_choice("client", "Choose a client of the agency."))?;
    }
    let here: Vec<String> = sqlx::query_scalar!(
        r#"select lower(email) as "email!" from users where workspace_id = $1 and lower(email) = any($2)"#,
        tx.workspace_uuid(),
        &emails
    )
    .fetch_all(tx.conn())
    .await?;
    if !here.is_empty() {
        return Err(AppError::invalid("emails", format!("Already here: {}. Remove these addresses.", here.join(", "))));
    }
    within_measure(&mut tx).await?;
    limits::lock(&mut tx).await?;
    let mut invited = Vec::with_capacity(emails.len());
    for email in emails {
        invited.push(issue(&mut tx, &email, role, client).await?);
    }
    limits::check_limit(&mut tx, Kind::People).await?;
    tx.commit().await?;
    Ok(invited)
}

/// A new link for an open or expired invitation.
pub(crate) async fn resend(scope: &Scope, id: InvitationId) -> Result<Invited, AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let row = get(&mut tx, id).await?;
    may_change(scope, row.role)?;
    if row.is_over {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This invitation has been accepted or withdrawn. Invite the address again.".into(),
        ));
    }
    within_measure(&mut tx).await?;
    limits::lock(&mut tx).await?;
    let invited = issue(&mut tx, &row.email, row.role, row.client).await?;
    limits::check_limit(&mut tx, Kind::People).await?;
    tx.commit().await?;
    Ok(invited)
}

/// Withdraws an invitation: its link stops working at once. Safe to repeat.
pub(crate) async fn withdraw(scope: &Scope, id: InvitationId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageViewers).await?;
    let row = get(&mut tx, id).await?;
    may_change(scope, row.role)?;
    let done = sqlx::query!(
        "update invitations set revoked_at = now() where workspace_id = $1 and id = $2 and accepted_at is null and revoked_at is null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 {
        record(&mut tx, id, row.client, "withdrew", moved(&row.email, "withdrawn", None)).await?;
    }
    tx.commit().await
}

/// Withdraws what somebody has invited to and nobody has accepted yet, when they lose their role.
pub(crate) async fn withdraw_of(tx: &mut WriteTx, inviter: UserId) -> Result<(), AppError> {
    let open = sqlx::query!(
        r#"update invitations set revoked_at = now()
           where workspace_id = $1 and invited_by = $2 and accepted_at is null and revoked_at is null
           returning id as "id: InvitationId", client_id as "client: ClientId", email"#,
        tx.workspace_uuid(),
        inviter.0
    )
    .fetch_all(tx.conn())
    .await?;
    for old in open {
        record(tx, old.id, old.client, "withdrew", moved(&old.email, "withdrawn", Some("the inviter's role ended")))
            .await?;
    }
    Ok(())
}

/// So many an hour of the whole agency: nobody sends mail to unknown people in masses from here. Errors: `Limited`.
async fn within_measure(tx: &mut WriteTx) -> Result<(), AppError> {
    tx.reading().count_whole_agency().await?;
    let newest = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from invitations
           where workspace_id = $1 and created_at > now() - interval '1 hour' order by id desc limit $2) newest"#,
        tx.workspace_uuid(),
        MOST_AN_HOUR
    )
    .fetch_one(tx.conn())
    .await?;
    tx.reading().back_in_client().await?;
    if newest < MOST_AN_HOUR { Ok(()) } else { Err(AppError::Limited(3600)) }
}

/// Writes one invitation and its message, in the transaction that asked for it.
pub async fn issue(tx: &mut WriteTx, email: &str, role: Role, client: Option<ClientId>) -> Result<Invited, AppError> {
    let (w, by) = (tx.workspace_uuid(), tx.user_id().map(|id| id.0));
    let open = sqlx::query!(
        r#"update invitations set revoked_at = now()
           where workspace_id = $1 and lower(email) = $2 and accepted_at is null and revoked_at is null
           returning id as "id: InvitationId", role as "role: Role", client_id as "client: ClientId""#,
        w,
        email.to_lowercase()
    )
    .fetch_all(tx.conn())
    .await?;
    for old in open {
        // Nobody takes back what only somebody above them could have given.
        if tx.scope().viewer().is_some_and(|viewer| viewer.workspace.is_some()) {
            may_change(&tx.scope().clone(), old.role)?;
        }
        record(tx, old.id, old.client, "replaced", moved(email, "replaced", None)).await?;
    }
    let id = InvitationId::new();
    let ticket = ticket::issue(&[w, id.0]);
    sqlx::query!(
        "insert into invitations (workspace_id, id, client_id, email, role, token_hash, invited_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8))",
        w,
        id.0,
        client.map(|client| client.0),
        email,
        role as Role,
        ticket.hash,
        by,
        DAYS
    )
    .execute(tx.conn())
    .await?;
    record(tx, id, client, "invited", Fields::Created(json!({ "email": email, "role": role }))).await?;
    let link = format!("{}/invite/{}", hosts::link_base(tx.reading()).await?, ticket.text);
    if !mail::is_set_up(tx.services()) {
        return Ok(Invited { email: email.to_owned(), link: Some(link) });
    }
    let brand = ops::brand(tx.reading(), client).await?;
    let agency = agency_name(tx.reading()).await?;
    let inviter = tx.scope().viewer().map_or_else(|| agency.clone(), |viewer| viewer.name.clone());
    let place = brand.own_name().unwrap_or(&agency);
    let text = format!(
        "Hello,\n\n{inviter} invites you to {place} as {}. Choose your password here within {DAYS} days:\n\n{link}\n\n\
         If you did not expect this invitation, you can ignore this e-mail.\n",
        role.label().to_lowercase()
    );
    let subject = format!("{inviter} invites you to {place}");
    mail::send(tx, &mail::Message::new(&brand, email, subject, &text)).await?;
    Ok(Invited { email: email.to_owned(), link: None })
}

/// The address that the first owner was invited at, as long as nobody has accepted.
pub async fn invited_owner(tx: &mut ReadTx) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select email from invitations where workspace_id = $1 and role = 'agency_owner' and accepted_at is null and revoked_at is null
           and not exists (select from users u where u.workspace_id = $1) order by id desc limit 1",
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Withdraws every open invitation of an owner.
pub async fn withdraw_owners(tx: &mut WriteTx) -> Result<(), AppError> {
    let rows = sqlx::query!(
        r#"update invitations set revoked_at = now()
           where workspace_id = $1 and role = 'agency_owner' and accepted_at is null and revoked_at is null
           returning id as "id: InvitationId", email"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    for row in rows {
        record(tx, row.id, None, "withdrew", moved(&row.email, "withdrawn", None)).await?;
    }
    Ok(())
}

async fn agency_name(tx: &mut ReadTx) -> Result<String, AppError> {
    let w = tx.workspace_uuid();
    Ok(sqlx::query_scalar!("select name from workspaces where id = $1", w).fetch_one(tx.conn()).await?)
}

struct Invitation {
    email: String,
    role: Role,
    client: Option<ClientId>,
    is_over: bool,
}

async fn get(tx: &mut WriteTx, id: InvitationId) -> Result<Invitation, AppError> {
    Ok(sqlx::query_as!(
        Invitation,
        r#"select email, role as "role: Role", client_id as "client: ClientId",
                  (accepted_at is not null or revoked_at is not null) as "is_over!"
           from invitations where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

fn may_change(scope: &Scope, role: Role) -> Result<(), AppError> {
    let viewer = scope.viewer().ok_or(AppError::NotSignedIn)?;
    let may = crate::model::grantable(viewer.role).contains(&role);
    if may { Ok(()) } else { Err(AppError::Forbidden) }
}

/// Invitations by newest first, in one state or all.
pub async fn list(
    tx: &mut ReadTx,
    status: Option<InvitationStatus>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<InvitationRow>, AppError> {
    let cursor = Cursor::parse(cursor);
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let viewer = tx.scope().viewer().filter(|viewer| viewer.may(Action::ManageViewers)).cloned();
    let rows = sqlx::query!(
        r#"select i.id as "id: InvitationId", i.email, i.role as "role: Role", c.name as "client?", u.name as "inviter?", i.created_at,
                  i.expires_at, i.accepted_at is not null as "accepted!", i.revoked_at is not null as "withdrawn!",
                  i.expires_at <= now() as "expired!"
           from invitations i left join clients c on c.workspace_id = $1 and c.id = i.client_id
                left join users u on u.workspace_id = $1 and u.id = i.invited_by
           where i.workspace_id = $1 and ($2::uuid is null or ($3 and i.id < $2) or (not $3 and i.id > $2))
             and case $4::text when 'accepted' then i.accepted_at is not null
                               when 'withdrawn' then i.revoked_at is not null
                               when 'expired' then i.accepted_at is null and i.revoked_at is null and i.expires_at <= now()
                               when 'open' then i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
                               else true end
           order by case when $3 then i.id end desc, case when not $3 then i.id end limit $5"#,
        tx.workspace_uuid(),
        key,
        older,
        status.map(InvitationStatus::as_str),
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let status = match (row.accepted, row.withdrawn, row.expired) {
                (true, ..) => InvitationStatus::Accepted,
                (_, true, _) => InvitationStatus::Withdrawn,
                (_, _, true) => InvitationStatus::Expired,
                _ => InvitationStatus::Open,
            };
            let grants = viewer.as_ref().map_or(&[][..], |viewer| crate::model::grantable(viewer.role));
            InvitationRow {
                id: row.id,
                email: row.email,
                can_change: !row.accepted && !row.withdrawn && grants.contains(&row.role),
                role: row.role,
                client: row.client,
                inviter: row.inviter,
                status,
                created: zone::stamp(row.created_at, now, zone),
                expires: zone::stamp(row.expires_at, now, zone),
            }
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &InvitationRow| row.id.to_string()))
}

/// An invitation shows what it offers, and makes one member.
const LINK: Machine = Machine { name: "invitation", actions: &[Action::ReadMembers, Action::ManageViewers] };

/// What the holder of a link sees before accepting. Errors: `Conflict` if the link is spent.
pub(crate) async fn open(visitor: &Visitor, token: &str) -> Result<InvitationOffer, AppError> {
    let (mut tx, id, hash) = knock(visitor, token).await?;
    let w = tx.workspace_uuid();
    let row = sqlx::query!(
        r#"select i.email, i.role as "role: Role", w.name as agency, c.name as "client?"
           from invitations i join workspaces w on w.id = i.workspace_id
                left join clients c on c.workspace_id = $1 and c.id = i.client_id
           where i.workspace_id = $1 and i.id = $2 and i.token_hash = $3
             and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()"#,
        w,
        id,
        hash
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or_else(|| AppError::Conflict(Reason::LinkSpent, SPENT.into()))?;
    Ok(InvitationOffer { email: row.email, role: row.role, agency: row.agency, client: row.client })
}

/// Makes the account and signs its owner in. The link is spent in the same transaction: of two who use it at once, one comes in.
pub async fn accept(visitor: &Visitor, token: &str, name: &str, password: &str) -> Result<Role, AppError> {
    let invitation = open(visitor, token).await?;
    let mut errors = FieldErrors::default();
    check_person(name, &invitation.email, &mut errors);
    check_new(password, &[&invitation.email, name], &mut errors);
    errors.check()?;
    let hash = hash_password(visitor.db.services(), password.to_owned()).await?;
    let (tx, id, token_hash) = knock(visitor, token).await?;
    let (workspace, user) = (tx.workspace_id(), UserId::new());
    drop(tx);
    // From here on it is the new person who acts.
    let holder = Holder { id: user, name: name.trim().to_owned() };
    let mut tx = Scope::of_link(visitor, workspace, LINK, Some(holder)).write(Action::ManageViewers).await?;
    // Nobody suspends it between this look and the commit.
    limits::lock(&mut tx).await?;
    if patchbay_workspaces::server::is_suspended(tx.reading()).await? {
        return Err(AppError::Conflict(Reason::Suspended, SUSPENDED.into()));
    }
    let row = sqlx::query!(
        r#"update invitations set accepted_at = now()
           where workspace_id = $1 and id = $2 and token_hash = $3 and accepted_at is null and revoked_at is null and expires_at > now()
           returning email, role as "role: Role", client_id as "client: ClientId""#,
        tx.workspace_uuid(),
        id,
        token_hash
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or_else(|| AppError::Conflict(Reason::LinkSpent, SPENT.into()))?;
    if let Some(client) = row.client
        && patchbay_clients::server::get(tx.reading(), client).await?.status == ClientStatus::Archived
    {
        return Err(AppError::Conflict(Reason::LinkSpent, SPENT.into()));
    }
    let new = NewUser {
        id: user,
        workspace: Some(tx.workspace_id()),
        client: row.client,
        name,
        email: &row.email,
        role: row.role,
        password_hash: &hash,
    };
    match users::insert(tx.conn(), &new).await {
        // Somebody of this agency: about accounts elsewhere nobody learns anything.
        Err(AppError::Invalid(_)) => {
            return Err(AppError::Conflict(
                Reason::AlreadyThere,
                "You have an account here already. Sign in with it.".into(),
            ));
        }
        other => other?,
    }
    limits::check_limit(&mut tx, Kind::Members).await?;
    if row.role == Role::AgencyOwner {
        patchbay_workspaces::server::claim_ownership(&mut tx, user).await?;
    }
    let change = Change {
        action: "accepted an invitation",
        entity: "user",
        entity_id: Some(user.0),
        client_id: row.client,
        fields: Fields::Created(json!({ "name": name.trim(), "email": row.email, "role": row.role, "invitation": id })),
    };
    tx.audit(change).await?;
    tx.notify(Topic::list("members"), row.client);
    tx.commit().await?;
    sessions::start(visitor, user.0, "invitation").await?;
    Ok(row.role)
}

/// A transaction in the workspace that the link names, which says nothing about whether the link is good. At an agency's own host name
/// other agencies' links open nothing.
async fn knock(visitor: &Visitor, token: &str) -> Result<(ReadTx, Uuid, Vec<u8>), AppError> {
    let ticket =
        ticket::read::<2>(token).filter(|([workspace, _], _)| visitor.may_enter(Some(WorkspaceId(*workspace))));
    let ([workspace, id], hash) = ticket.ok_or_else(|| AppError::Conflict(Reason::LinkSpent, SPENT.into()))?;
    let scope = Scope::of_link(visitor, WorkspaceId(workspace), LINK, None);
    Ok((scope.read(Action::ReadMembers).await?, id, hash))
}

fn checked_addresses(text: &str, errors: &mut FieldErrors) -> Vec<String> {
    let all: BTreeSet<String> = addresses(text).map(str::to_lowercase).collect();
    let bad: Vec<&str> = all.iter().map(String::as_str).filter(|one| !is_address(one)).take(5).collect();
    if all.is_empty() {
        errors.add("emails", "Write at least one e-mail address. Several: one per line, or with commas between them.");
    } else if all.len() > MOST_AT_ONCE {
        errors.add("emails", format!("These are {} addresses. Invite at most {MOST_AT_ONCE} at a time.", all.len()));
    } else if !bad.is_empty() {
        errors.add("emails", format!("Not an e-mail address: {}. Correct it or remove it.", bad.join(", ")));
    }
    all.into_iter().collect()
}

/// An open invitation that is open no longer.
fn moved(email: &str, state: &str, because: Option<&str>) -> Fields {
    Fields::Changed {
        before: json!({ "email": email, "state": "open" }),
        after: json!({ "email": email, "state": state, "because": because }),
    }
}

async fn record(
    tx: &mut WriteTx,
    id: InvitationId,
    client: Option<ClientId>,
    action: &str,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "invitation", entity_id: Some(id.0), client_id: client, fields }).await?;
    tx.notify(Topic::list("members"), client);
    Ok(())
}
