//! The second factor: codes of an authenticator app (TOTP, RFC 6238), recovery codes, and passkeys, which `passkeys` and `by_passkey`
//! deal with. Between the password and the second step the session knows who wants in, and signs nobody in.

use chrono::Utc;
use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, Builder, Totp};
use uuid::Uuid;

use super::own::{Own, note_refusal};
use super::sessions;
use crate::model::{SecondFactor, SecondFactorSetup};
use patchbay_access::server::once;
use patchbay_access::server::{Db, Fields, SystemTx, Visitor, WriteTx, end_sessions};
use patchbay_access::{Role, Viewer};
use patchbay_providers::Binding;
use patchbay_services::Services;
use patchbay_shared::error::internal;
use patchbay_shared::ids::UserId;
use patchbay_shared::{AppError, Reason};
use patchbay_users::proof::prove;
use patchbay_users::throttle::{self, Keys};

/// The session's key for somebody whose password was right and whose code is awaited.
const PENDING: &str = "second factor pending";
/// Seconds that the code may take.
const PATIENCE: i64 = 600;
const SETUP: &str = "second factor setup";
pub(super) const NEW_CODES: &str = "recovery codes";
const CODES: usize = 10;
const WRONG: &str =
    "This code is wrong. Enter the six digits that the app shows now, or a recovery code that you have not used.";
const BY_NOW: &str = "Signing in took too long. Start again with your password.";

#[derive(Serialize, Deserialize)]
struct Pending {
    user: Uuid,
    since: i64,
    /// Of the password that was right: with another one since, the step before counts for nothing.
    password: Vec<u8>,
}

/// Whether this account has a second factor; if so, the session waits for its code.
pub(super) async fn is_awaited(visitor: &Visitor, user: Uuid) -> Result<bool, AppError> {
    let mut tx = SystemTx::open(&visitor.db, "second factor").await?;
    let row = sqlx::query!(
        r#"select totp_secret is not null or has_passkey as "is_on!", password_hash from users where id = $1"#,
        user
    )
    .fetch_one(tx.conn())
    .await?;
    drop(tx);
    if row.is_on {
        let session = sessions::fresh(visitor).await?;
        let password = Sha256::digest(&row.password_hash).to_vec();
        session.insert(PENDING, Pending { user, since: Utc::now().timestamp(), password }).await.map_err(internal)?;
        session.cycle_id().await.map_err(internal)?;
    }
    Ok(row.is_on)
}

/// Whose second step this session waits for. None: nobody's, or not any more.
pub(super) async fn awaited(visitor: &Visitor) -> Result<Option<Uuid>, AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let pending = session.get::<Pending>(PENDING).await.map_err(internal)?;
    let Some(pending) = pending.filter(|pending| Utc::now().timestamp() - pending.since < PATIENCE) else {
        return Ok(None);
    };
    let mut tx = SystemTx::open(&visitor.db, "second factor").await?;
    let hash = sqlx::query_scalar!("select password_hash from users where id = $1 and status = 'active'", pending.user)
        .fetch_optional(tx.conn())
        .await?;
    let is_same = hash.is_some_and(|hash| Sha256::digest(&hash).as_slice() == pending.password);
    Ok(is_same.then_some(pending.user))
}

/// What somebody hears whose password step is missing or too long ago.
pub(super) fn too_late() -> AppError {
    AppError::Conflict(Reason::TooLate, BY_NOW.into())
}

/// Takes the code and starts the session. Errors: `Invalid` at `code`; `Limited`; `Conflict` when the password step is missing.
pub(crate) async fn verify(visitor: &Visitor, code: &str) -> Result<Role, AppError> {
    let user = awaited(visitor).await?.ok_or_else(too_late)?;
    // By account alone: somebody else has to know the password before this counts anything against its owner.
    let keys = Keys::second_factor(user);
    throttle::charge(&visitor.db, &keys).await?;
    let mut tx = SystemTx::open(&visitor.db, "second factor").await?;
    let account = sqlx::query!(r#"select role as "role: Role", totp_secret from users where id = $1"#, user)
        .fetch_one(tx.conn())
        .await?;
    let secret = account.totp_secret.map(|sealed| open(visitor.db.services(), user, &sealed)).transpose()?;
    let is_right = spend(tx.conn(), user, secret.as_deref(), code).await?;
    tx.commit().await?;
    if !is_right {
        metrics::counter!("patchbay_sign_ins_total", "result" => "refused").increment(1);
        tracing::info!(user_id = %user, ip = visitor.ip, "a wrong code");
        note_refusal(visitor, user, "code");
        return Err(AppError::invalid("code", WRONG));
    }
    throttle::succeeded(&visitor.db, &keys).await?;
    sessions::start(visitor, user, "password and code").await?;
    Ok(account.role)
}

/// Whether the code is right; a right one is spent in the same statement. Without a `secret` only recovery codes are.
async fn spend(conn: &mut sqlx::PgConnection, user: Uuid, secret: Option<&[u8]>, code: &str) -> Result<bool, AppError> {
    let typed: String = code.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(40).collect();
    let step = match secret.filter(|_| typed.len() == 6) {
        Some(secret) => totp(secret, "", "")?.check(&typed, Utc::now().timestamp().unsigned_abs()),
        None => None,
    };
    let is_spent =
        match step {
            Some(step) => {
                let step = i64::try_from(step).map_err(internal)?;
                patchbay_users::use_step(conn, user, step).await?
            }
            None => sqlx::query!(
                "update recovery_codes set used_at = now() where user_id = $1 and code_hash = $2 and used_at is null",
                user,
                code_hash(&typed)
            )
            .execute(conn)
            .await?
            .rows_affected()
                == 1,
        };
    Ok(is_spent)
}

/// How the visitor's own second factor stands. New recovery codes are in it once.
pub(crate) async fn state(visitor: &Visitor) -> Result<SecondFactor, AppError> {
    let viewer = visitor.viewer()?;
    let mut tx = SystemTx::open(&visitor.db, "own second factor").await?;
    let row = sqlx::query!(
        r#"select totp_secret is not null as "is_on!", totp_secret is not null or has_passkey as "is_awaited!",
                  (select count(*) from recovery_codes where user_id = $1 and used_at is null) as "left!"
           from users where id = $1"#,
        viewer.user_id.0
    )
    .fetch_one(tx.conn())
    .await?;
    drop(tx);
    let setup = match once::peek::<Vec<u8>>(visitor, SETUP).await?.filter(|_| !row.is_on) {
        Some(secret) => Some(setup(viewer, &secret)?),
        None => None,
    };
    let new_codes = once::take(visitor, NEW_CODES).await?.unwrap_or_default();
    Ok(SecondFactor { is_on: row.is_on, is_awaited: row.is_awaited, codes_left: row.left, setup, new_codes })
}

/// Begins: makes a secret, which counts for nothing until a code has confirmed it. The password is asked for once more.
pub(crate) async fn begin(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    prove(visitor, current).await?;
    if app_is_on(visitor).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The second factor is on already. Turn it off first to set up another app.".into(),
        ));
    }
    let mut secret = vec![0_u8; 20];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut secret);
    once::keep(visitor, SETUP, &secret).await
}

/// Turns it on with the first right code. Every other session ends; ten recovery codes wait to be shown once, if a passkey has not
/// brought some already.
pub(crate) async fn confirm(visitor: &Visitor, code: &str) -> Result<(), AppError> {
    let viewer = visitor.viewer()?.clone();
    let secret: Vec<u8> = once::peek(visitor, SETUP)
        .await?
        .ok_or_else(|| AppError::Conflict(Reason::TooLate, "This page has expired. Start the setup again.".into()))?;
    let typed: String = code.chars().filter(char::is_ascii_digit).collect();
    let step = totp(&secret, "", "")?.check(&typed, Utc::now().timestamp().unsigned_abs());
    let Some(step) = step else {
        return Err(AppError::invalid(
            "code",
            "This code is wrong. Enter the six digits that the app shows now; check the phone's clock.",
        ));
    };
    let sealed = visitor.db.services().ring.seal(&place(viewer.user_id.0), &secret).map_err(internal)?;
    let user = viewer.user_id.0;
    let mut tx = Own::open(visitor, &viewer).await?;
    let is_first = !lock(tx.conn(), user).await?;
    let before = held_by(tx.conn(), user).await?;
    patchbay_users::set_authenticator(tx.conn(), user, &sealed, i64::try_from(step).map_err(internal)?).await?;
    let codes = if is_first { Some(renew(tx.conn(), user).await?) } else { None };
    end_sessions(tx.conn(), UserId(user), sessions::own_hash(visitor)).await?;
    let after = held_by(tx.conn(), user).await?;
    tx.commit("turned the second factor on", Fields::Changed { before, after }).await?;
    once::take::<Vec<u8>>(visitor, SETUP).await?;
    sessions::renew_id(visitor).await?;
    match codes {
        Some(codes) => once::keep(visitor, NEW_CODES, &codes).await,
        None => Ok(()),
    }
}

/// Turns the app's codes off; passkeys stay. The password is asked for once more.
pub(crate) async fn turn_off(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    prove(visitor, current).await?;
    let viewer = visitor.viewer()?.clone();
    let user = viewer.user_id.0;
    let mut tx = Own::open(visitor, &viewer).await?;
    lock(tx.conn(), user).await?;
    let before = held_by(tx.conn(), user).await?;
    patchbay_users::forget_authenticator(tx.conn(), user).await?;
    settle(tx.conn(), user).await?;
    let after = held_by(tx.conn(), user).await?;
    tx.commit("turned the second factor off", Fields::Changed { before, after }).await
}

/// Ten new recovery codes; the old ones are worth nothing any more.
pub(crate) async fn new_codes(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    prove(visitor, current).await?;
    let viewer = visitor.viewer()?.clone();
    let mut tx = Own::open(visitor, &viewer).await?;
    if !lock(tx.conn(), viewer.user_id.0).await? {
        return Err(AppError::Conflict(Reason::NotReady, "Set up an authenticator app or add a passkey first.".into()));
    }
    let codes = renew(tx.conn(), viewer.user_id.0).await?;
    tx.commit("made new recovery codes", Fields::Happened(json!({ "codes": codes.len() }))).await?;
    once::keep(visitor, NEW_CODES, &codes).await
}

/// Forgets somebody's second factor of every kind, in a transaction that spans.
pub async fn clear(conn: &mut sqlx::PgConnection, user: Uuid) -> Result<(), AppError> {
    lock(conn, user).await?;
    patchbay_users::forget_authenticator(conn, user).await?;
    sqlx::query!("delete from passkeys where user_id = $1", user).execute(&mut *conn).await?;
    settle(conn, user).await
}

/// The same from the command line, for whoever has lost it and the recovery codes. Ends every session of theirs. Errors: `NotFound`.
pub async fn clear_from_command_line(db: &Db, email: &str) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "second factor from the command line").await?;
    let users = patchbay_users::by_email(tx.conn(), email).await?;
    let mut accounts = Vec::new();
    for user in users {
        accounts.push(patchbay_users::account(tx.conn(), user).await?);
    }
    drop(tx);
    for account in accounts {
        let mut tx = Own::at_command_line(db, &account).await?;
        let before = held_by(tx.conn(), account.id.0).await?;
        clear(tx.conn(), account.id.0).await?;
        end_sessions(tx.conn(), account.id, None).await?;
        let after = held_by(tx.conn(), account.id.0).await?;
        tx.commit("cleared the second factor", Fields::Changed { before, after }).await?;
    }
    Ok(())
}

/// What somebody has as a second factor, for the audit log.
pub async fn held(tx: &mut WriteTx, user: Uuid) -> Result<Value, AppError> {
    tx.span("somebody's second factor").await?;
    held_by(tx.conn(), user).await
}

/// The same in a transaction that spans.
async fn held_by(conn: &mut sqlx::PgConnection, user: Uuid) -> Result<Value, AppError> {
    let row = sqlx::query!(
        r#"select totp_secret is not null as "app!", (select count(*) from passkeys where user_id = $1) as "passkeys!"
           from users where id = $1"#,
        user
    )
    .fetch_one(conn)
    .await?;
    Ok(json!({ "authenticator app": row.app, "passkeys": row.passkeys }))
}

/// Whether somebody has a second factor, of any kind. Nobody else changes it until this transaction ends.
pub(super) async fn lock(conn: &mut sqlx::PgConnection, user: Uuid) -> Result<bool, AppError> {
    let is_on = sqlx::query_scalar!(
        r#"select totp_secret is not null or has_passkey as "on!" from users where id = $1 for update"#,
        user
    );
    Ok(is_on.fetch_one(conn).await?)
}

/// After a factor has come or gone: says on the account whether it has passkeys, and forgets the recovery codes with the last factor.
pub(super) async fn settle(conn: &mut sqlx::PgConnection, user: Uuid) -> Result<(), AppError> {
    let has = sqlx::query_scalar!(r#"select exists (select from passkeys where user_id = $1) as "has!""#, user);
    let has = has.fetch_one(&mut *conn).await?;
    patchbay_users::set_has_passkey(conn, user, has).await?;
    if !lock(conn, user).await? {
        sqlx::query!("delete from recovery_codes where user_id = $1", user).execute(conn).await?;
    }
    Ok(())
}

async fn app_is_on(visitor: &Visitor) -> Result<bool, AppError> {
    let user = visitor.viewer()?.user_id.0;
    let mut tx = SystemTx::open(&visitor.db, "own second factor").await?;
    let is_on = sqlx::query_scalar!(r#"select totp_secret is not null as "on!" from users where id = $1"#, user);
    Ok(is_on.fetch_one(tx.conn()).await?)
}

/// Ten new recovery codes in place of the old ones.
pub(super) async fn renew(conn: &mut sqlx::PgConnection, user: Uuid) -> Result<Vec<String>, AppError> {
    sqlx::query!("delete from recovery_codes where user_id = $1", user).execute(&mut *conn).await?;
    let codes: Vec<String> = (0..CODES).map(|_| recovery_code()).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code_hash(&code.replace('-', ""))).collect();
    sqlx::query!("insert into recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])", user, &hashes)
        .execute(conn)
        .await?;
    Ok(codes)
}

/// Seventy-nine random bits as sixteen letters and digits that nobody confuses: `k7mq-2xwa-9c4t-hn3e`.
fn recovery_code() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut chance = rand::rng();
    let letters: Vec<char> = (0..16).map(|_| char::from(LETTERS[chance.random_range(0..LETTERS.len())])).collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn code_hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.to_ascii_lowercase()).to_vec()
}

fn place(user: Uuid) -> Binding {
    Binding::new(Uuid::nil(), format!("user:{user}"), "totp")
}

fn open(services: &Services, user: Uuid, sealed: &str) -> Result<Vec<u8>, AppError> {
    services.ring.open(&place(user), sealed).map_err(internal)
}

/// SHA-1, six digits, thirty seconds: what every app knows. One step either way for clocks that differ.
fn totp(secret: &[u8], product: &str, account: &str) -> Result<Totp, AppError> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret)
        // A colon parts the two in the address.
        .with_issuer(Some(product.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(internal)
}

fn setup(viewer: &Viewer, secret: &[u8]) -> Result<SecondFactorSetup, AppError> {
    use base64::Engine;
    let product = viewer.workspace.as_ref().map_or("Patchbay", |home| &home.product);
    let url = totp(secret, product, &viewer.email)?.to_url().map_err(internal)?;
    let code = qrcode::QrCode::new(url).map_err(internal)?;
    let picture = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build();
    let qr = format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(picture));
    let text = totp_rs::Secret::from(secret).to_base32();
    let groups: Vec<String> =
        text.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    Ok(SecondFactorSetup { secret: groups.join(" "), qr })
}
