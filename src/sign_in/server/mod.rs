pub mod by_passkey;
mod ceremony;
mod device;
mod own;
pub(crate) mod passkeys;
pub mod resets;
pub mod second_factor;
pub mod sessions;
pub mod ticket;

use patchbay_access::Role;
use patchbay_access::server::{SystemTx, Visitor, own_path};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::WorkspaceId;

/// Accounts of one address that are tried, those that were used last first.
const MOST_ACCOUNTS: i64 = 8;
const WRONG: &str = "The e-mail address or the password is wrong. Check both and try again.";

/// Checks the password and starts a fresh session. The same answer, after the same work, whether the account exists or not.
/// None: the password is right, and the account's second factor is awaited.
pub(crate) async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Result<Option<Role>, AppError> {
    let email = email.trim().to_lowercase();
    if email.is_empty() || password.is_empty() || email.len() > 320 || password.len() > 1024 {
        return Err(AppError::invalid("email", WRONG));
    }
    let keys = patchbay_users::throttle::Keys::new(&email, visitor.ip.as_deref(), device::is_known(visitor, &email));
    patchbay_users::throttle::charge(&visitor.db, &keys).await?;
    let Some(account) = right_account(visitor, &email, password).await? else {
        metrics::counter!("patchbay_sign_ins_total", "result" => "refused").increment(1);
        tracing::info!(ip = visitor.ip, request_id = visitor.request_id, "a wrong password, or nobody's address");
        return Err(AppError::invalid("email", WRONG));
    };
    patchbay_users::throttle::succeeded(&visitor.db, &keys).await?;
    if second_factor::is_awaited(visitor, account.id).await? {
        return Ok(None);
    }
    sessions::start(visitor, account.id, "password").await?;
    Ok(Some(account.role))
}

struct Account {
    id: uuid::Uuid,
    password_hash: String,
    role: Role,
    workspace: Option<WorkspaceId>,
}

/// The account of this address whose password it is. An address may have one in each agency; of two with the same password the one that
/// was used last. At an agency's own host name everybody else is nobody.
async fn right_account(visitor: &Visitor, email: &str, password: &str) -> Result<Option<Account>, AppError> {
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    let accounts = sqlx::query_as!(
        Account,
        r#"select id, password_hash, role as "role: Role", workspace_id as "workspace: WorkspaceId" from users
           where lower(email) = $1 and status = 'active' order by last_login_at desc nulls last, id limit $2"#,
        email,
        MOST_ACCOUNTS
    )
    .fetch_all(tx.conn())
    .await?;
    drop(tx);
    let mut tried = Vec::new();
    for account in accounts.into_iter().filter(|account| visitor.may_enter(account.workspace)) {
        tried.push(account.id);
        let stored = Some(account.password_hash.clone());
        if patchbay_users::verify(visitor.db.services(), password.to_owned(), stored).await? {
            return Ok(Some(account));
        }
    }
    // An agency that has made an account with somebody's address must not see from the time whether there is another one.
    for _ in tried.len()..2 {
        patchbay_users::verify(visitor.db.services(), password.to_owned(), None).await?;
    }
    for account in tried {
        own::note_refusal(visitor, account, "password");
    }
    Ok(None)
}

/// Ends the support session that a leaving platform admin is in. Boot gives it.
pub struct EndSupport(pub for<'a> fn(&'a Visitor) -> HookFuture<'a>);

/// Ends this session, or all of this person's.
pub(crate) async fn sign_out(visitor: &Visitor, everywhere: bool) -> Result<(), AppError> {
    let mut visitor = visitor.clone();
    // Who leaves, looks no longer.
    if let Some(viewer) = visitor.viewer.as_mut().filter(|viewer| viewer.support.is_some()) {
        let guest = viewer.clone();
        (viewer.support, viewer.workspace, viewer.role) = (None, None, Role::Admin);
        let end = visitor.db.services().hooks.get::<EndSupport>()?.0;
        end(&Visitor { viewer: Some(guest), ..visitor.clone() }).await?;
    }
    if everywhere && visitor.viewer.is_some() {
        sessions::end_all(&visitor, true).await?;
    } else {
        sessions::note_sign_out(&visitor).await?;
    }
    if let Some(session) = &visitor.session {
        session.flush().await.map_err(internal)?;
    }
    Ok(())
}

/// Where to go after a step of signing in: on, or to the second step, which remembers where to.
pub(crate) fn way_in(role: Option<Role>, next: Option<&str>) -> String {
    match role {
        Some(role) => landing(role, next).to_owned(),
        None => {
            let next: String = url::form_urlencoded::byte_serialize(next.unwrap_or_default().as_bytes()).collect();
            format!("/mfa?next={next}")
        }
    }
}

/// Where to go after signing in: a page of this site, and not back to signing in.
pub fn landing(role: Role, next: Option<&str>) -> &str {
    let home = if role == Role::Admin { "/platform" } else { "/dashboard" };
    next.and_then(own_path).filter(|next| !next.starts_with("/login")).unwrap_or(home)
}
