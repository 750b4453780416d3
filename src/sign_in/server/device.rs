//! Devices that somebody has signed in with before. Whoever guesses at an account from many addresses makes unknown devices wait, and
//! not the account's owner at theirs.

use axum::http::{HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use patchbay_access::server::Visitor;
use patchbay_providers::Binding;
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

const COOKIE: &str = "patchbay-device";
const YEAR: u32 = 365 * 24 * 3600;

fn place() -> Binding {
    Binding::new(Uuid::nil(), "device", "known to")
}

/// What the cookie holds, sealed: a digest of the e-mail address, and the account. An address may have an account in each agency, and who
/// has one of them is no acquaintance of the others.
type Known = (String, Uuid);

fn mark(email: &str) -> String {
    hex::encode(Sha256::digest(email.trim().to_lowercase()))
}

/// The account of this e-mail address that was the last to sign in with this device.
pub(crate) fn known_to(visitor: &Visitor, email: &str) -> Option<Uuid> {
    let cookies = visitor.cookies.as_ref()?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, sealed) = pairs.find(|(name, _)| name.ends_with(COOKIE))?;
    let (address, account) = visitor.db.services().ring.open::<Known>(&place(), sealed).ok()?;
    (address == mark(email)).then_some(account)
}

/// Makes the device that sent this request known to the account.
pub(crate) fn remember(services: &Services, email: &str, account: Uuid) -> Result<(), AppError> {
    let Some(response) = use_context::<ResponseOptions>() else { return Ok(()) };
    let sealed = services.ring.seal::<Known>(&place(), &(mark(email), account)).map_err(internal)?;
    let (prefix, secure) = if services.public_url.starts_with("https:") { ("__Host-", "; Secure") } else { ("", "") };
    let cookie = format!("{prefix}{COOKIE}={sealed}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}");
    response.append_header(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(internal)?);
    Ok(())
}
