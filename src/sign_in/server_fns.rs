use leptos::prelude::*;

use crate::access::Viewer;
use crate::shared::AppError;

/// Signs in and goes to `next` (a path of this site) or the dashboard. Errors: `Invalid` at the form; `Limited` after too many tries.
#[server(prefix = "/rpc", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), AppError> {
    let visitor = crate::access::server::visitor()?;
    let role = super::server::sign_in(&visitor, &email, &password).await?;
    leptos_axum::redirect(super::server::landing(role, next.as_deref()));
    Ok(())
}

/// Ends this session; with `everywhere`, all of this person's sessions.
#[server(prefix = "/rpc", endpoint = "sign_out")]
pub async fn sign_out(everywhere: Option<String>) -> Result<(), AppError> {
    let visitor = crate::access::server::visitor()?;
    super::server::sign_out(&visitor, everywhere.is_some()).await?;
    leptos_axum::redirect("/login");
    Ok(())
}

/// Who is looking. Errors: `NotSignedIn`.
#[server(prefix = "/rpc", endpoint = "who_am_i")]
pub async fn who_am_i() -> Result<Viewer, AppError> {
    Ok(crate::access::server::visitor()?.viewer()?.clone())
}
