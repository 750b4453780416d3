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
use patchbay_access::server::{SystemTx, Visitor};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::WorkspaceId;

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
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    let account = sqlx::query!(
        r#"select id, password_hash, role as "role: Role", workspace_id from users where lower(email) = $1 and status = 'active'"#,
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    drop(tx);
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let right = patchbay_users::verify(visitor.db.services(), password.to_owned(), stored).await?;
    // At an agency's own host name everybody else is nobody.
    let is_at_home = |workspace: Option<uuid::Uuid>| visitor.may_enter(workspace.map(WorkspaceId));
    let known = account.as_ref().map(|account| account.id);
    let Some(account) = account.filter(|account| right && is_at_home(account.workspace_id)) else {
        if let Some(user) = known {
            own::note_refusal(visitor, user, if right { "host name" } else { "password" });
        }
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

/// Where to go after signing in. Only paths of this site: `//elsewhere` and `\` are not, and neither are blanks and line breaks,
/// which browsers drop from an address (`/<tab>/elsewhere`).
pub fn landing(role: Role, next: Option<&str>) -> &str {
    let home = if role == Role::Admin { "/platform" } else { "/dashboard" };
    let is_ours = |next: &&str| {
        let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        plain && next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/login")
    };
    next.filter(is_ours).unwrap_or(home)
}
