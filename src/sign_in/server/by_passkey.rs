//! Signing in with a passkey: alone, in place of password and code, or as the second step after the password. Both ask the authenticator
//! to check who holds it (a finger, a face, a PIN).

use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError};

use super::ceremony::{self, Site};
use super::own::note_refusal;
use super::second_factor;
use super::sessions;
use crate::model::SecondStep;
use patchbay_access::Role;
use patchbay_access::server::{SystemTx, Visitor};
use patchbay_shared::error::internal;
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Reason};
use patchbay_users::throttle::{self, Keys};

/// The session's keys for the two questions: an answer to one is none to the other.
const ALONE: &str = "passkey to sign in";
const SECOND: &str = "passkey as second step";
/// The same whatever is wrong: whoever is not authenticated learns nothing about passkeys and accounts.
const WRONG: &str = "This passkey was not accepted. Try another one, or sign in with your password.";
const WRONG_STEP: &str = "This passkey was not accepted. Try another one, or use a code.";

/// Whether this site's address allows passkeys.
pub(crate) fn is_offered(visitor: &Visitor) -> Result<bool, AppError> {
    Ok(ceremony::hurdle(visitor)?.is_none())
}

/// What the second step can be made with. Nothing when nobody waits for it.
pub(crate) async fn second_step(visitor: &Visitor) -> Result<SecondStep, AppError> {
    let Some(user) = second_factor::awaited(visitor).await? else { return Ok(SecondStep::default()) };
    let mut tx = SystemTx::open(&visitor.db, "second factor").await?;
    let row = sqlx::query!(r#"select totp_secret is not null as "app!", has_passkey from users where id = $1"#, user)
        .fetch_one(tx.conn())
        .await?;
    drop(tx);
    let passkey = row.has_passkey
        && is_offered(visitor)?
        && !credentials(visitor, user, &Site::here(visitor, "")?.host).await?.is_empty();
    Ok(SecondStep { app: row.app, passkey })
}

/// The question for the browser, as JSON. `second`: for somebody whose password was right. Errors: `Conflict` where there is nothing
/// to ask for.
pub(crate) async fn ask(visitor: &Visitor, second: bool) -> Result<String, AppError> {
    let site = Site::here(visitor, "")?;
    let allowed = if second {
        let user = second_factor::awaited(visitor).await?.ok_or_else(second_factor::too_late)?;
        let own = credentials(visitor, user, &site.host).await?;
        if own.is_empty() {
            return Err(AppError::Conflict(
                Reason::NotReady,
                "No passkey of yours belongs to this address. Use a code.".into(),
            ));
        }
        own
    } else {
        Vec::new()
    };
    let (question, state) = site.webauthn.start_discoverable_authentication().map_err(internal)?;
    let mut options = serde_json::to_value(question.public_key).map_err(internal)?;
    options["allowCredentials"] = allowed.iter().map(|id| json!({ "type": "public-key", "id": base64(id) })).collect();
    ceremony::keep(visitor, if second { SECOND } else { ALONE }, &state, &options).await
}

/// Signs in with a passkey alone: it stands for password and code. Errors: `Invalid` at the form, the same for everything that can be
/// wrong; `Conflict` if it took too long; `Limited`.
pub(crate) async fn sign_in(visitor: &Visitor, answer: &str) -> Result<Role, AppError> {
    let site = Site::here(visitor, "")?;
    let keys = Keys::passkey(visitor.ip.as_deref());
    throttle::charge(&visitor.db, &keys).await?;
    let state: DiscoverableAuthentication = ceremony::take(visitor, ALONE).await?;
    let judged = match ceremony::read::<PublicKeyCredential>(answer) {
        // The authenticator names whose it is; the row must say the same.
        Some(answer) => match site.webauthn.identify_discoverable_authentication(&answer) {
            Ok((user, _)) => judge(visitor, &site, user, &answer, state).await?,
            Err(_) => None,
        },
        None => None,
    };
    let (user, role) = judged.ok_or_else(|| refused(WRONG))?;
    throttle::succeeded(&visitor.db, &keys).await?;
    sessions::start(visitor, user, "passkey").await?;
    Ok(role)
}

/// The second step with a passkey of the account whose password was right. Errors as for `sign_in`.
pub(crate) async fn verify(visitor: &Visitor, answer: &str) -> Result<Role, AppError> {
    let site = Site::here(visitor, "")?;
    let user = second_factor::awaited(visitor).await?.ok_or_else(second_factor::too_late)?;
    let keys = Keys::second_factor(user);
    throttle::charge(&visitor.db, &keys).await?;
    let state: DiscoverableAuthentication = ceremony::take(visitor, SECOND).await?;
    let judged = match ceremony::read::<PublicKeyCredential>(answer) {
        // A device may leave out whose it is when it was told what to use; if it says so, it must be right.
        Some(answer) if answer.get_user_unique_id().is_none_or(|id| id == user.as_bytes()) => {
            judge(visitor, &site, user, &answer, state).await?
        }
        _ => None,
    };
    let (user, role) = judged.ok_or_else(|| {
        note_refusal(visitor, user, "passkey");
        refused(WRONG_STEP)
    })?;
    throttle::succeeded(&visitor.db, &keys).await?;
    sessions::start(visitor, user, "password and passkey").await?;
    Ok(role)
}

/// Whether a passkey of this person, made for this host, has signed the question. The row is locked: of two answers at the same moment
/// the later one is held against the counter of the earlier.
async fn judge(
    visitor: &Visitor,
    site: &Site,
    user: Uuid,
    answer: &PublicKeyCredential,
    state: DiscoverableAuthentication,
) -> Result<Option<(Uuid, Role)>, AppError> {
    let mut tx = SystemTx::open(&visitor.db, "passkey").await?;
    let row = sqlx::query!(
        r#"select p.id, p.credential, p.last_signed, u.role as "role: Role", u.workspace_id as "workspace: WorkspaceId" from passkeys p join users u on u.id = p.user_id
           where p.credential_id = $1 and p.user_id = $2 and p.host = $3 and u.status = 'active' for update of p"#,
        answer.get_credential_id(),
        user,
        site.host
    )
    .fetch_optional(tx.conn())
    .await?;
    // At an agency's own host only its people come in, whoever had the name when the passkey was made.
    let Some(row) = row.filter(|row| visitor.may_enter(row.workspace)) else { return Ok(None) };
    // The challenge is in it: the same answer, sent twice side by side, counts once.
    let signed = Sha256::digest(&answer.response.client_data_json).to_vec();
    if row.last_signed.as_ref() == Some(&signed) {
        return Ok(None);
    }
    let mut passkey: Passkey = serde_json::from_value(row.credential).map_err(internal)?;
    let seen = match site.webauthn.finish_discoverable_authentication_v2(answer, state, &passkey) {
        Ok(seen) => seen,
        Err(WebauthnError::CredentialPossibleCompromise) => {
            tracing::warn!(user_id = %user, passkey_id = %row.id, "a passkey's counter went back: there may be a copy of it; nobody was signed in");
            return Ok(None);
        }
        Err(cause) => {
            tracing::debug!(user_id = %user, passkey_id = %row.id, %cause, "a passkey was not accepted");
            return Ok(None);
        }
    };
    passkey.update_credential(&seen);
    sqlx::query!(
        "update passkeys set credential = $2, last_signed = $3, last_used_at = now() where id = $1",
        row.id,
        serde_json::to_value(&passkey).map_err(internal)?,
        signed
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(Some((user, row.role)))
}

/// What this person's passkeys for a host are called.
async fn credentials(visitor: &Visitor, user: Uuid, host: &str) -> Result<Vec<Vec<u8>>, AppError> {
    let mut tx = SystemTx::open(&visitor.db, "passkey").await?;
    let own = sqlx::query_scalar!("select credential_id from passkeys where user_id = $1 and host = $2", user, host);
    Ok(own.fetch_all(tx.conn()).await?)
}

fn refused(sentence: &str) -> AppError {
    tracing::info!("a passkey was refused");
    metrics::counter!("patchbay_sign_ins_total", "result" => "refused").increment(1);
    AppError::invalid("", sentence)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
