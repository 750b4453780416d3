//! The visitor's own passkeys: the list, adding one, removing one.

use chrono::Utc;
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{CredentialID, PasskeyRegistration, RegisterPublicKeyCredential};

use super::ceremony::{self, Site};
use super::own::Own;
use super::second_factor::{self, NEW_CODES};
use super::sessions;
use crate::model::{PasskeyRow, PasskeySetup, Passkeys, device};
use patchbay_access::Viewer;
use patchbay_access::server::once;
use patchbay_access::server::{Fields, SystemTx, Visitor, end_sessions};
use patchbay_shared::error::internal;
use patchbay_shared::ids::UserId;
use patchbay_shared::{AppError, Reason, zone};
use patchbay_users::proof::prove;

/// Most passkeys of one person.
const MOST: usize = 20;
/// The session's key for a passkey that is being added.
const ADDING: &str = "passkey to add";
const REFUSED: &str = "The device's answer was not accepted. Start again, on this page and with this browser.";

/// The visitor's own passkeys, the newest first.
pub(crate) async fn list(visitor: &Visitor) -> Result<Passkeys, AppError> {
    let viewer = visitor.viewer()?;
    let hurdle = ceremony::hurdle(visitor)?;
    let here = if hurdle.is_none() { Some(Site::here(visitor, product(viewer))?.host) } else { None };
    let (zone, now) = (zone::zone(&viewer.timezone), Utc::now());
    let mut tx = SystemTx::open(&visitor.db, "own passkeys").await?;
    let rows = sqlx::query!(
        "select id, name, host, created_at, last_used_at from passkeys where user_id = $1 order by id desc limit 100",
        viewer.user_id.0
    )
    .fetch_all(tx.conn())
    .await?;
    drop(tx);
    let is_full = rows.len() >= MOST;
    let rows = rows
        .into_iter()
        .map(|row| PasskeyRow {
            id: row.id.to_string(),
            name: row.name,
            elsewhere: Some(row.host).filter(|host| Some(host) != here.as_ref()),
            made: zone::stamp(row.created_at, now, zone),
            used: row.last_used_at.map(|at| zone::stamp(at, now, zone)),
        })
        .collect();
    let setup = ceremony::options(visitor, ADDING)
        .await?
        .map(|options| PasskeySetup { options, name: device(visitor.user_agent.as_deref().unwrap_or_default()) });
    Ok(Passkeys { rows, is_full, hurdle, setup })
}

/// Begins: makes the question for the browser. The password is asked for once more.
pub(crate) async fn begin(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    prove(visitor, current).await?;
    let viewer = visitor.viewer()?;
    let site = Site::here(visitor, product(viewer))?;
    let mut tx = SystemTx::open(&visitor.db, "own passkeys").await?;
    let own = sqlx::query!("select credential_id, host from passkeys where user_id = $1", viewer.user_id.0)
        .fetch_all(tx.conn())
        .await?;
    drop(tx);
    room(own.len())?;
    let own = own.into_iter().filter(|row| row.host == site.host);
    let own: Vec<CredentialID> = own.map(|row| row.credential_id).collect();
    let (question, state) = site
        .webauthn
        .start_passkey_registration(viewer.user_id.0, &viewer.email, &viewer.name, Some(own))
        .map_err(internal)?;
    let mut options = serde_json::to_value(question.public_key).map_err(internal)?;
    // Kept on the device with the account's name, so that it can sign in without either being typed.
    options["authenticatorSelection"]["residentKey"] = json!("required");
    options["authenticatorSelection"]["requireResidentKey"] = json!(true);
    ceremony::keep(visitor, ADDING, &state, &options).await.map(drop)
}

/// Adds what the browser's authenticator has made. With the first factor every other session ends, and ten recovery codes wait to be
/// shown once. Errors: `Invalid` at `name` or the form; `Conflict` if it took too long, or the passkey is somebody's already.
pub(crate) async fn add(visitor: &Visitor, name: &str, answer: &str) -> Result<(), AppError> {
    let viewer = visitor.viewer()?.clone();
    let name = name.trim();
    if !(1..=60).contains(&name.chars().count()) {
        return Err(AppError::invalid("name", "Name the device that holds the passkey, in up to 60 characters."));
    }
    if answer.is_empty() {
        return Err(AppError::invalid(
            "",
            "Your browser did not ask the device, which takes script. Turn script on for this site.",
        ));
    }
    let site = Site::here(visitor, product(&viewer))?;
    let state: PasskeyRegistration = ceremony::take(visitor, ADDING).await?;
    let answer = ceremony::read::<RegisterPublicKeyCredential>(answer);
    let answer = answer.ok_or_else(|| AppError::invalid("", REFUSED))?;
    let passkey = site.webauthn.finish_passkey_registration(&answer, &state).map_err(|cause| {
        tracing::info!(user_id = %viewer.user_id, %cause, "a passkey was not added");
        AppError::invalid("", REFUSED)
    })?;
    let user = viewer.user_id.0;
    let mut tx = Own::open(visitor, &viewer).await?;
    // Of two that are added at the same moment the later one waits, and counts the other.
    let is_first = !second_factor::lock(tx.conn(), user).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from passkeys where user_id = $1"#, user)
        .fetch_one(tx.conn())
        .await?;
    room(usize::try_from(count).map_err(internal)?)?;
    let added = sqlx::query!(
        "insert into passkeys (id, user_id, credential_id, host, name, credential) values ($1, $2, $3, $4, $5, $6)
         on conflict (credential_id) do nothing",
        Uuid::now_v7(),
        user,
        passkey.cred_id(),
        site.host,
        name,
        serde_json::to_value(&passkey).map_err(internal)?
    )
    .execute(tx.conn())
    .await?
    .rows_affected();
    if added == 0 {
        return Err(AppError::Conflict(
            Reason::AlreadyThere,
            "This passkey is in use already. Make a new one, or use another device.".into(),
        ));
    }
    second_factor::settle(tx.conn(), user).await?;
    let codes = if is_first {
        end_sessions(tx.conn(), UserId(user), sessions::own_hash(visitor)).await?;
        Some(second_factor::renew(tx.conn(), user).await?)
    } else {
        None
    };
    tx.commit("added a passkey", Fields::Created(json!({ "passkey": name, "host": site.host }))).await?;
    sessions::renew_id(visitor).await?;
    match codes {
        Some(codes) => once::keep(visitor, NEW_CODES, &codes).await,
        None => Ok(()),
    }
}

/// Removes one. The password is asked for once more. Errors: `NotFound`.
pub(crate) async fn remove(visitor: &Visitor, id: &str, current: &str) -> Result<(), AppError> {
    prove(visitor, current).await?;
    let id = Uuid::try_parse(id).map_err(|_| AppError::NotFound)?;
    let viewer = visitor.viewer()?.clone();
    let user = viewer.user_id.0;
    let mut tx = Own::open(visitor, &viewer).await?;
    second_factor::lock(tx.conn(), user).await?;
    let name = sqlx::query_scalar!("delete from passkeys where id = $1 and user_id = $2 returning name", id, user)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    second_factor::settle(tx.conn(), user).await?;
    tx.commit("removed a passkey", Fields::Deleted(json!({ "passkey": name }))).await
}

fn room(count: usize) -> Result<(), AppError> {
    if count < MOST {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::LimitReached,
        format!("You have {MOST} passkeys, the most there can be. Remove one first."),
    ))
}

fn product(viewer: &Viewer) -> &str {
    viewer.workspace.as_ref().map_or("Patchbay", |home| &home.product)
}
