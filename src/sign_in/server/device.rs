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

/// The cookie names nobody: a digest of the address.
fn mark(email: &str) -> String {
    hex::encode(Sha256::digest(email.trim().to_lowercase()))
}

/// Whether this device has signed in to the account before.
pub(crate) fn is_known(visitor: &Visitor, email: &str) -> bool {
    let Some(cookies) = &visitor.cookies else { return false };
    let value =
        cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| name.ends_with(COOKIE));
    let opened = value.and_then(|(_, sealed)| visitor.db.services().ring.open::<String>(&place(), sealed).ok());
    opened.is_some_and(|known| known == mark(email))
}

/// Makes the device that sent this request known to the account.
pub(crate) fn remember(services: &Services, email: &str) -> Result<(), AppError> {
    let Some(response) = use_context::<ResponseOptions>() else { return Ok(()) };
    let sealed = services.ring.seal(&place(), &mark(email)).map_err(internal)?;
    let (prefix, secure) = if services.public_url.starts_with("https:") { ("__Host-", "; Secure") } else { ("", "") };
    let cookie = format!("{prefix}{COOKIE}={sealed}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}");
    response.append_header(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(internal)?);
    Ok(())
}
