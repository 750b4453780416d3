//! New passwords: the person's own change, and the link for somebody who has forgotten theirs.

use serde_json::json;
use uuid::Uuid;

use super::own::Own;
use super::sessions;
use super::ticket;
use patchbay_access::Action;
use patchbay_access::server::{Change, Db, Fields, Machine, Scope, SystemTx, Visitor, WriteTx, end_sessions};
use patchbay_brand::server::{hosts, ops};
use patchbay_mail as mail;
use patchbay_shared::ids::{ClientId, UserId, WorkspaceId};
use patchbay_shared::{AppError, FieldErrors, Reason};
use patchbay_users::proof::prove;
use patchbay_users::throttle::{self, Keys};
use patchbay_users::{self as users, check_new, hash_password};

/// Minutes that a link is good for.
const MINUTES: i32 = 30;
/// Messages that go to one address at most, one for each of its accounts.
const MOST_MESSAGES: i64 = 100;
const SPENT: &str = "This link has been used or is more than 30 minutes old. Ask for a new one.";

/// A link changes the password of the person whom it was sent to.
const LINK: Machine = Machine { name: "forgotten password", actions: &[Action::EditOwnProfile] };

/// Sends a link to the address, if somebody has it. The answer is the same, and as fast, in any case: the work is done afterwards.
/// Errors: `Conflict` when this installation sends no e-mail; `Limited` after too many tries.
pub(crate) async fn ask(visitor: &Visitor, email: &str) -> Result<(), AppError> {
    if !mail::is_set_up(visitor.db.services()) {
        return Err(AppError::Conflict(
            Reason::Configuration,
            "This installation sends no e-mail. An owner or admin of your agency can create a link for you.".into(),
        ));
    }
    let email = email.trim().to_lowercase();
    if email.is_empty() || email.len() > 320 {
        return Err(AppError::invalid("email", "Write the e-mail address that you sign in with."));
    }
    let keys = Keys::reset(&email, visitor.ip.as_deref());
    throttle::charge(&visitor.db, &keys).await?;
    let visitor = visitor.clone();
    tokio::spawn(async move {
        if let Err(error) = send(&visitor, &email).await {
            tracing::warn!(cause = %error, "a link for a new password was not sent");
        }
    });
    Ok(())
}

/// An account that somebody asks a new password for.
struct Account {
    id: UserId,
    name: String,
    workspace: WorkspaceId,
    client: Option<ClientId>,
    agency: String,
}

async fn send(visitor: &Visitor, email: &str) -> Result<(), AppError> {
    let mut tx = SystemTx::open(&visitor.db, "forgotten password").await?;
    // Platform admins have no workspace: their passwords are set on the command line.
    let rows = sqlx::query_as!(
        Account,
        r#"select u.id as "id: UserId", u.name, u.workspace_id as "workspace!: WorkspaceId", u.client_id as "client: ClientId",
                  w.name as agency
           from users u join workspaces w on w.id = u.workspace_id
           where lower(u.email) = $1 and u.status = 'active' and ($2::uuid is null or u.workspace_id = $2)
           order by u.last_login_at desc nulls last, u.id limit $3"#,
        email,
        visitor.home.map(|home| home.0),
        MOST_MESSAGES
    )
    .fetch_all(tx.conn())
    .await?;
    drop(tx);
    for account in rows {
        // What holds one account back is no reason to leave out the next.
        if let Err(error) = send_to(visitor, email, account).await {
            tracing::warn!(cause = %error, "a link for a new password was not sent");
        }
    }
    Ok(())
}

async fn send_to(visitor: &Visitor, email: &str, account: Account) -> Result<(), AppError> {
    // Whoever asks for somebody else's, from however many addresses, does not fill their mailbox. The asker's answer is the same.
    throttle::charge(&visitor.db, &Keys::reset_messages(account.id.0)).await?;
    let scope = Scope::of_link(visitor, account.workspace, LINK, None);
    let mut tx = scope.write(Action::EditOwnProfile).await?;
    let brand = ops::brand(tx.reading(), account.client).await?;
    let link = make(&mut tx, account.id).await?;
    tx.audit(Change {
        action: "asked for a new password",
        entity: "user",
        entity_id: Some(account.id.0),
        client_id: account.client,
        fields: Fields::Happened(json!({ "name": account.name, "email": email })),
    })
    .await?;
    let place = brand.own_name().unwrap_or(&account.agency);
    let text = format!(
        "Hello {},\n\nsomebody, probably you, asked for a new password at {place}. Choose it here within {MINUTES} minutes:\n\n{link}\n\n\
         If it was not you, do nothing: your password stays as it is.\n",
        account.name
    );
    let subject = format!("A new password for {place}");
    mail::send(&mut tx, &mail::Message::new(&brand, email, subject, &text)).await?;
    tx.commit().await
}

/// A link for somebody's new password, made by somebody who may. It replaces earlier ones. Returned once; the table has its hash.
pub async fn make(tx: &mut WriteTx, user: UserId) -> Result<String, AppError> {
    tx.span("forgotten password").await?;
    let (id, by) = (Uuid::now_v7(), tx.user_id().map(|id| id.0));
    let ticket = ticket::issue(&[id]);
    // Of two who ask at the same moment the later one's link counts.
    sqlx::query!("select id from users where id = $1 for update", user.0).fetch_all(tx.conn()).await?;
    spend_all(tx.conn(), user).await?;
    sqlx::query!(
        "insert into password_resets (id, user_id, token_hash, created_by, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(mins => $5))",
        id,
        user.0,
        ticket.hash,
        by,
        MINUTES
    )
    .execute(tx.conn())
    .await?;
    Ok(format!("{}/reset/{}", hosts::link_base(tx.reading()).await?, ticket.text))
}

/// The address that a link is for. Errors: `Conflict` if the link is spent.
pub(crate) async fn whose(visitor: &Visitor, token: &str) -> Result<String, AppError> {
    Ok(find(visitor, token).await?.email)
}

struct Found {
    id: Uuid,
    user: UserId,
    email: String,
    name: String,
    workspace: Option<WorkspaceId>,
}

async fn find(visitor: &Visitor, token: &str) -> Result<Found, AppError> {
    let spent = || {
        tracing::info!(ip = visitor.ip, "a link for a new password that is spent or made up");
        AppError::Conflict(Reason::LinkSpent, SPENT.into())
    };
    let ([id], hash) = ticket::read::<1>(token).ok_or_else(spent)?;
    let mut tx = SystemTx::open(&visitor.db, "forgotten password").await?;
    let found = sqlx::query_as!(
        Found,
        r#"select r.id, u.id as "user: UserId", u.email, u.name, u.workspace_id as "workspace: WorkspaceId"
           from password_resets r join users u on u.id = r.user_id
           where r.id = $1 and r.token_hash = $2 and r.used_at is null and r.expires_at > now() and u.status = 'active'"#,
        id,
        hash
    )
    .fetch_optional(tx.conn())
    .await?;
    found.filter(|found| visitor.may_enter(found.workspace)).ok_or_else(spent)
}

/// Sets the password that somebody chose through a link. The link is spent, and every session of theirs ends.
pub(crate) async fn choose(visitor: &Visitor, token: &str, new: &str) -> Result<(), AppError> {
    let found = find(visitor, token).await?;
    let mut errors = FieldErrors::default();
    check_new(new, &[&found.email, &found.name], &mut errors);
    errors.check()?;
    let hash = hash_password(visitor.db.services(), new.to_owned()).await?;
    if found.workspace.is_none() {
        return Err(AppError::Conflict(Reason::LinkSpent, SPENT.into()));
    }
    let mut tx = SystemTx::open(&visitor.db, "forgotten password").await?;
    let account = users::account(tx.conn(), found.user).await?;
    drop(tx);
    let mut tx = Own::by_link(visitor, &account, LINK, true).await?;
    // Two who hold the link at once: one comes through.
    let spent = sqlx::query!("update password_resets set used_at = now() where id = $1 and used_at is null", found.id)
        .execute(tx.conn())
        .await?;
    if spent.rows_affected() == 0 {
        return Err(AppError::Conflict(Reason::LinkSpent, SPENT.into()));
    }
    let sessions = sessions::open_ones(tx.conn(), found.user).await?;
    set(tx.conn(), found.user, &hash).await?;
    end_sessions(tx.conn(), found.user, None).await?;
    let state = |link: &str, sessions: i64| json!({ "name": account.name, "email": account.email, "link": link, "sessions": sessions });
    let fields = Fields::Changed { before: state("open", sessions), after: state("used", 0) };
    tx.commit("chose a new password by link", fields).await?;
    // So the account comes in here with the new password, whoever guesses elsewhere and however many accounts the address has.
    super::device::remember(visitor.db.services(), &account.email, account.id.0)
}

/// Changes the visitor's own password. Every other session of theirs ends. Errors: `Invalid` at `current` or `password`.
pub(crate) async fn change(visitor: &Visitor, current: &str, new: &str) -> Result<(), AppError> {
    let viewer = visitor.viewer()?.clone();
    prove(visitor, current).await?;
    let mut errors = FieldErrors::default();
    check_new(new, &[&viewer.email, &viewer.name], &mut errors);
    errors.check()?;
    let hash = hash_password(visitor.db.services(), new.to_owned()).await?;
    let mut tx = Own::open(visitor, &viewer).await?;
    set(tx.conn(), viewer.user_id, &hash).await?;
    end_sessions(tx.conn(), viewer.user_id, sessions::own_hash(visitor)).await?;
    let facts = json!({ "other sessions": "ended" });
    tx.commit("changed own password", Fields::Happened(facts)).await
}

/// A new password also ends every link for another one. In a transaction that spans.
async fn set(conn: &mut sqlx::PgConnection, user: UserId, hash: &str) -> Result<(), AppError> {
    users::set_password(conn, user, hash).await?;
    spend_all(conn, user).await
}

/// Ends every link for somebody's new password. In a transaction that spans.
pub(super) async fn spend_all(conn: &mut sqlx::PgConnection, user: UserId) -> Result<(), AppError> {
    sqlx::query!("update password_resets set used_at = now() where user_id = $1 and used_at is null", user.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets a password from the command line, for whoever has no other way in. Ends every session of theirs.
pub async fn set_from_command_line(db: &Db, email: &str, new: &str) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    check_new(new, &[email], &mut errors);
    errors.check()?;
    let hash = hash_password(db.services(), new.to_owned()).await?;
    let mut tx = SystemTx::open(db, "password from the command line").await?;
    let users = users::by_email(tx.conn(), email).await?;
    let mut accounts = Vec::new();
    for user in users {
        accounts.push(users::account(tx.conn(), user).await?);
    }
    drop(tx);
    for account in accounts {
        let mut tx = Own::at_command_line(db, &account).await?;
        set(tx.conn(), account.id, &hash).await?;
        end_sessions(tx.conn(), account.id, None).await?;
        let facts = json!({ "name": account.name, "email": account.email, "sessions": "ended" });
        tx.commit("set a new password", Fields::Happened(facts)).await?;
    }
    Ok(())
}

/// Removes links that ended a week ago.
pub async fn prune(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "old links").await?;
    sqlx::query!("delete from password_resets where expires_at < now() - interval '7 days'").execute(tx.conn()).await?;
    tx.commit().await
}
