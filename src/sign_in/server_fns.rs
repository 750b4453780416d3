use leptos::prelude::*;

use super::model::{Passkeys, SecondFactor, SecondStep, SessionRow};
use patchbay_access::Viewer;
use patchbay_shared::AppError;

/// Signs in and goes to `next` (a path of this site) or the dashboard; to the second step where the account has one.
/// Errors: `Invalid` at the form; `Limited` after too many tries.
#[server(prefix = "/rpc", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let role = super::server::sign_in(&visitor, &email, &password).await?;
    leptos_axum::redirect(&super::server::way_in(role, next.as_deref()));
    Ok(())
}

/// The second step: a code of the app, or a recovery code.
#[server(prefix = "/rpc", endpoint = "verify_second_factor")]
pub async fn verify_second_factor(code: String, next: Option<String>) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let role = super::server::second_factor::verify(&visitor, &code).await?;
    leptos_axum::redirect(&super::server::way_in(Some(role), next.as_deref()));
    Ok(())
}

/// Ends this session; with `everywhere`, all of this person's sessions.
#[server(prefix = "/rpc", endpoint = "sign_out")]
pub async fn sign_out(everywhere: Option<String>) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    super::server::sign_out(&visitor, everywhere.is_some()).await?;
    leptos_axum::redirect("/login");
    Ok(())
}

/// Who is looking. Errors: `NotSignedIn`.
#[server(prefix = "/rpc", endpoint = "who_am_i")]
pub async fn who_am_i() -> Result<Viewer, AppError> {
    Ok(patchbay_access::server::visitor()?.viewer()?.clone())
}

/// Whether this installation sends e-mail, so that a forgotten password can be replaced without help.
#[server(prefix = "/rpc", endpoint = "sends_mail")]
pub async fn sends_mail() -> Result<bool, AppError> {
    Ok(patchbay_mail::is_set_up(patchbay_access::server::visitor()?.db.services()))
}

/// Sends a link for a new password, if somebody has this address.
#[server(prefix = "/rpc", endpoint = "ask_for_password")]
pub async fn ask_for_password(email: String) -> Result<(), AppError> {
    super::server::resets::ask(&patchbay_access::server::visitor()?, &email).await?;
    leptos_axum::redirect("/forgot?sent=1");
    Ok(())
}

/// The address that a link for a new password is for. Anybody who has the link may ask.
#[server(prefix = "/rpc", endpoint = "open_password_link")]
pub async fn open_password_link(token: String) -> Result<String, AppError> {
    super::server::resets::whose(&patchbay_access::server::visitor()?, &token).await
}

/// Sets the password that the holder of a link chose.
#[server(prefix = "/rpc", endpoint = "choose_password")]
pub async fn choose_password(token: String, password: String) -> Result<(), AppError> {
    super::server::resets::choose(&patchbay_access::server::visitor()?, &token, &password).await?;
    leptos_axum::redirect("/login?chosen=1");
    Ok(())
}

/// Changes the viewer's own password.
#[server(prefix = "/rpc", endpoint = "change_password")]
pub async fn change_password(current: String, password: String) -> Result<(), AppError> {
    super::server::resets::change(&patchbay_access::server::visitor()?, &current, &password).await
}

/// Where the viewer is signed in.
#[server(prefix = "/rpc", endpoint = "list_sessions")]
pub async fn list_sessions() -> Result<Vec<SessionRow>, AppError> {
    super::server::sessions::list(&patchbay_access::server::visitor()?).await
}

/// Ends one of the viewer's own sessions.
#[server(prefix = "/rpc", endpoint = "end_session")]
pub async fn end_session(id: String) -> Result<(), AppError> {
    super::server::sessions::end(&patchbay_access::server::visitor()?, &id).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// How the viewer's second factor stands.
#[server(prefix = "/rpc", endpoint = "get_second_factor")]
pub async fn get_second_factor() -> Result<SecondFactor, AppError> {
    super::server::second_factor::state(&patchbay_access::server::visitor()?).await
}

/// Begins setting the second factor up.
#[server(prefix = "/rpc", endpoint = "begin_second_factor")]
pub async fn begin_second_factor(current: String) -> Result<(), AppError> {
    super::server::second_factor::begin(&patchbay_access::server::visitor()?, &current).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Turns the second factor on with its first code.
#[server(prefix = "/rpc", endpoint = "confirm_second_factor")]
pub async fn confirm_second_factor(code: String) -> Result<(), AppError> {
    super::server::second_factor::confirm(&patchbay_access::server::visitor()?, &code).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Turns the second factor off.
#[server(prefix = "/rpc", endpoint = "turn_off_second_factor")]
pub async fn turn_off_second_factor(current: String) -> Result<(), AppError> {
    super::server::second_factor::turn_off(&patchbay_access::server::visitor()?, &current).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Ten new recovery codes.
#[server(prefix = "/rpc", endpoint = "make_recovery_codes")]
pub async fn make_recovery_codes(current: String) -> Result<(), AppError> {
    super::server::second_factor::new_codes(&patchbay_access::server::visitor()?, &current).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// The viewer's passkeys.
#[server(prefix = "/rpc", endpoint = "list_passkeys")]
pub async fn list_passkeys() -> Result<Passkeys, AppError> {
    super::server::passkeys::list(&patchbay_access::server::visitor()?).await
}

/// Begins adding a passkey.
#[server(prefix = "/rpc", endpoint = "begin_passkey")]
pub async fn begin_passkey(current: String) -> Result<(), AppError> {
    super::server::passkeys::begin(&patchbay_access::server::visitor()?, &current).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Adds the passkey that the browser has made. `answer`: `RegistrationResponseJSON`.
#[server(prefix = "/rpc", endpoint = "add_passkey")]
pub async fn add_passkey(name: String, answer: String) -> Result<(), AppError> {
    super::server::passkeys::add(&patchbay_access::server::visitor()?, &name, &answer).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Removes one of the viewer's passkeys.
#[server(prefix = "/rpc", endpoint = "remove_passkey")]
pub async fn remove_passkey(id: String, current: String) -> Result<(), AppError> {
    super::server::passkeys::remove(&patchbay_access::server::visitor()?, &id, &current).await?;
    leptos_axum::redirect("/settings/security");
    Ok(())
}

/// Whether passkeys work at this site's address.
#[server(prefix = "/rpc", endpoint = "offers_passkeys")]
pub async fn offers_passkeys() -> Result<bool, AppError> {
    super::server::by_passkey::is_offered(&patchbay_access::server::visitor()?)
}

/// What the second step can be made with, for whoever has typed the right password in this browser.
#[server(prefix = "/rpc", endpoint = "get_second_step")]
pub async fn get_second_step() -> Result<SecondStep, AppError> {
    super::server::by_passkey::second_step(&patchbay_access::server::visitor()?).await
}

/// The question for the browser's authenticator: `PublicKeyCredentialRequestOptionsJSON`. `second`: after the password.
#[server(prefix = "/rpc", endpoint = "ask_for_passkey")]
pub async fn ask_for_passkey(second: bool) -> Result<String, AppError> {
    super::server::by_passkey::ask(&patchbay_access::server::visitor()?, second).await
}

/// Signs in with a passkey, alone or as the second step. `answer`: `AuthenticationResponseJSON`. Gives the address to go on to.
/// Errors: `Invalid` at the form; `Conflict` when it took too long; `Limited` after too many tries.
#[server(prefix = "/rpc", endpoint = "sign_in_with_passkey")]
pub async fn sign_in_with_passkey(second: bool, answer: String, next: Option<String>) -> Result<String, AppError> {
    use super::server::by_passkey;
    let visitor = patchbay_access::server::visitor()?;
    let role =
        if second { by_passkey::verify(&visitor, &answer).await } else { by_passkey::sign_in(&visitor, &answer).await };
    Ok(super::server::way_in(Some(role?), next.as_deref()))
}
