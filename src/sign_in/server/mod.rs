mod password;
mod throttle;

pub use password::{check_new, hash_password};

use crate::access::Role;
use crate::access::server::{SESSION_USER, SystemTx, Visitor};
use crate::shared::AppError;
use crate::shared::error::internal;

const WRONG: &str = "The e-mail address or the password is wrong. Check both and try again.";

/// Checks the password and starts a fresh session. The same answer, after the same work, whether the account exists or not.
pub async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Result<Role, AppError> {
    let email = email.trim().to_lowercase();
    if email.is_empty() || password.is_empty() || email.len() > 320 || password.len() > 1024 {
        return Err(AppError::invalid("email", WRONG));
    }
    let keys = throttle::Keys::new(&email, visitor.ip.as_deref());
    throttle::check(&visitor.db, &keys).await?;
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    let account = sqlx::query!(
        r#"select id, password_hash, role as "role: Role", workspace_id from users where lower(email) = $1 and status = 'active'"#,
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    drop(tx);
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let right = password::verify(password.to_owned(), stored).await?;
    let Some(account) = account.filter(|_| right) else {
        throttle::failed(&visitor.db, &keys).await?;
        metrics::counter!("patchbay_sign_ins_total", "result" => "refused").increment(1);
        return Err(AppError::invalid("email", WRONG));
    };
    throttle::succeeded(&visitor.db, &keys).await?;
    let session = visitor.session.clone().ok_or_else(|| internal("no session layer"))?;
    // A new id: whoever knew the old one knows nothing.
    if session.id().is_some() {
        session.flush().await.map_err(internal)?;
    }
    session.insert(SESSION_USER, account.id).await.map_err(internal)?;
    session.cycle_id().await.map_err(internal)?;
    let mut tx = SystemTx::open(&visitor.db, "sign-in").await?;
    sqlx::query!("update users set last_login_at = now() where id = $1", account.id).execute(tx.conn()).await?;
    tx.commit().await?;
    metrics::counter!("patchbay_sign_ins_total", "result" => "done").increment(1);
    tracing::info!(user_id = %account.id, "signed in");
    Ok(account.role)
}

/// Ends this session, or all of this person's.
pub async fn sign_out(visitor: &Visitor, everywhere: bool) -> Result<(), AppError> {
    if let (true, Some(viewer)) = (everywhere, &visitor.viewer) {
        let mut tx = SystemTx::open(&visitor.db, "sign out everywhere").await?;
        sqlx::query!("delete from sessions where user_id = $1", viewer.user_id.0).execute(tx.conn()).await?;
        tx.commit().await?;
    }
    if let Some(session) = &visitor.session {
        session.flush().await.map_err(internal)?;
    }
    Ok(())
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
