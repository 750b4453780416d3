use leptos::prelude::*;

use super::model::MemberRow;
use crate::shared::{AppError, Page};

/// People of the agency; for a client's admin, of that client.
#[server(prefix = "/rpc", endpoint = "list_members")]
pub async fn list_members(role: Option<String>, cursor: Option<String>) -> Result<Page<MemberRow>, AppError> {
    use super::server::store;
    use crate::access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadMembers).await?;
    store::list(&mut tx, role.as_deref(), cursor.as_deref(), store::PAGE).await
}

/// Adds a person.
#[server(prefix = "/rpc", endpoint = "create_member")]
pub async fn create_member(
    name: String,
    email: String,
    role: String,
    client: Option<String>,
    password: String,
) -> Result<(), AppError> {
    let new = super::model::NewMember { name, email, role, client: client.unwrap_or_default(), password };
    super::server::ops::create(&crate::access::server::scope()?, &new).await?;
    leptos_axum::redirect("/settings/users");
    Ok(())
}

/// Suspends (`status` = suspended) or reactivates (active) a person.
#[server(prefix = "/rpc", endpoint = "set_member_status")]
pub async fn set_member_status(id: String, status: String) -> Result<(), AppError> {
    let status = status.parse().map_err(|error: String| AppError::invalid("status", error))?;
    super::server::ops::set_status(&crate::access::server::scope()?, id.parse()?, status).await?;
    leptos_axum::redirect("/settings/users");
    Ok(())
}

/// Ends all sessions of a person.
#[server(prefix = "/rpc", endpoint = "sign_member_out")]
pub async fn sign_member_out(id: String) -> Result<(), AppError> {
    super::server::ops::sign_out(&crate::access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect("/settings/users");
    Ok(())
}

/// Saves the viewer's own name and time zone.
#[server(prefix = "/rpc", endpoint = "save_profile")]
pub async fn save_profile(name: String, timezone: String) -> Result<(), AppError> {
    super::server::ops::save_profile(&crate::access::server::scope()?, &name, &timezone).await
}
