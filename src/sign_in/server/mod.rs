pub mod by_passkey;
mod ceremony;
mod device;
mod own;
pub(crate) mod passkeys;
pub mod resets;
pub mod second_factor;
pub mod sessions;
pub mod ticket;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use patchbay_access::Role;
use patchbay_access::server::{SystemTx, Visitor, own_path};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::WorkspaceId;
use patchbay_users::throttle::{self, Keys};

/// Accounts of one address that are tried: each costs time. First the one that the device is known to, then the platform's, then those
/// that were used, or made, last.
const MOST_ACCOUNTS: i64 = 8;
const WRONG: &str = "The e-mail address or the password is wrong. Check both and try again.";

/// Checks the password and starts a fresh session. The same answer, after the same work, whether the account exists or not.
/// None: the password is right, and the account's second factor is awaited.
pub(crate) async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Result<Option<Role>, AppError> {
    let email = email.trim().to_lowercase();
    if email.is_empty() || password.is_empty() || email.len() > 320 || password.len() > 1024 {
        return Err(AppError::invalid("email", WRONG));
    }
    let ip = visitor.ip.as_deref();
    let known = device::known_to(visitor, &email);
    let own_keys = known.map(|account| Keys::known(account, ip));
    if let Some(keys) = &own_keys {
        throttle::charge(&visitor.db, keys).await?;
    }
    let keys = Keys::new(&email, ip);
    let tries_all = match throttle::charge(&visitor.db, &keys).await {
        Ok(()) => true,
        // Somebody guesses elsewhere. On this device one account still comes in, and no other is tried.
        Err(AppError::Limited(_)) if known.is_some() => false,
        Err(error) => return Err(error),
    };
    let Some(account) = right_account(visitor, &email, password, known, tries_all).await? else {
        metrics::counter!("patchbay_sign_ins_total", "result" => "refused").increment(1);
        tracing::info!(ip = visitor.ip, request_id = visitor.request_id, "a wrong password, or nobody's address");
        return Err(AppError::invalid("email", WRONG));
    };
    if tries_all {
        throttle::succeeded(&visitor.db, &keys).await?;
    }
    if let Some(keys) = own_keys.filter(|_| known == Some(account.id)) {
        throttle::succeeded(&visitor.db, &keys).await?;
    }
    if second_factor::is_awaited(visitor, account.id).await? {
        return Ok(None);
    }
    sessions::start(visitor, account.id, "password").await?;
    Ok(Some(account.role))
}

struct Account {
    id: Uuid,
    password_hash: String,
    role: Role,
    workspace: Option<WorkspaceId>,
    last_login_at: Option<DateTime<Utc>>,
}

/// The accounts of this address that may come in here: at an agency's own host name its own.
async fn accounts(visitor: &Visitor, email: &str, known: Option<Uuid>) -> Result<Vec<Account>, AppError> {
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    let accounts = sqlx::query_as!(
        Account,
        r#"select id, password_hash, role as "role: Role", workspace_id as "workspace: WorkspaceId", last_login_at from users
           where lower(email) = $1 and status = 'active' and ($2::uuid is null or workspace_id = $2)
           order by coalesce(id = $3, false) desc, workspace_id is null desc, coalesce(last_login_at, created_at) desc, id limit $4"#,
        email,
        visitor.home.map(|home| home.0),
        known,
        MOST_ACCOUNTS
    );
    Ok(accounts.fetch_all(tx.conn()).await?)
}

/// How many passwords are checked for so many accounts. An agency that has made an account with somebody's address must not see from the
/// time whether there is another one.
fn checks(accounts: usize) -> usize {
    accounts.max(2).next_power_of_two()
}

/// The account of this address whose password it is. An address may have one in each agency; of two with the same password the one that
/// was used last. `tries_all`: not only the one that the device is known to. A right password takes as long as a wrong one.
async fn right_account(
    visitor: &Visitor,
    email: &str,
    password: &str,
    known: Option<Uuid>,
    tries_all: bool,
) -> Result<Option<Account>, AppError> {
    let mut accounts = accounts(visitor, email, known).await?;
    accounts.retain(|account| tries_all || known == Some(account.id));
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    let checks = checks(accounts.len());
    let mut accounts = accounts.into_iter();
    for _ in 0..checks {
        let account = accounts.next();
        let stored = account.as_ref().map(|account| account.password_hash.clone());
        let is_right = patchbay_users::verify(visitor.db.services(), password.to_owned(), stored).await?;
        match account {
            Some(account) if is_right => right.push(account),
            other => wrong.extend(other),
        }
    }
    let right = right.into_iter().max_by_key(|account| account.last_login_at);
    if right.is_none() {
        for account in wrong {
            own::note_refusal(&as_agency_hears(visitor, account.workspace), account.id, "password");
        }
    }
    Ok(right)
}

/// A wrong password at the site's own door may have been meant for another agency's account, so no agency learns where it came from; and
/// that always, because the difference would say whether there is another account. This process's log has address and request.
fn as_agency_hears(visitor: &Visitor, workspace: Option<WorkspaceId>) -> Visitor {
    let is_shared = visitor.home.is_none() && workspace.is_some();
    let (ip, request_id) = match is_shared {
        true => (None, None),
        false => (visitor.ip.clone(), visitor.request_id.clone()),
    };
    Visitor { ip, request_id, ..visitor.clone() }
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

#[cfg(test)]
mod tests {
    use super::checks;

    #[test]
    fn one_account_costs_as_much_as_two_or_none() {
        assert_eq!([0, 1, 2, 3, 4, 5, 8].map(checks), [2, 2, 2, 4, 4, 8, 8]);
    }
}
