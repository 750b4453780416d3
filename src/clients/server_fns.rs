use leptos::prelude::*;

use super::model::{Client, ClientForm, ClientRow};
use patchbay_access::ClientName;
use patchbay_shared::{AppError, Page};

/// The agency's clients. Agency roles only.
#[server(prefix = "/rpc", endpoint = "list_clients")]
pub async fn list_clients(
    words: Option<String>,
    archived: bool,
    cursor: Option<String>,
) -> Result<Page<ClientRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    store::list(&mut tx, words.as_deref(), archived, cursor.as_deref(), store::PAGE).await
}

/// Names for the client switcher and pickers. A client's own people get their one.
#[server(prefix = "/rpc", endpoint = "client_names")]
pub async fn client_names() -> Result<Vec<ClientName>, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCalls).await?;
    super::server::store::names(&mut tx).await
}

/// One client. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_client")]
pub async fn get_client(id: String) -> Result<Client, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    super::server::store::get(&mut tx, id.parse()?).await
}

/// Adds a client (`id` empty) or changes one, then shows it.
#[server(prefix = "/rpc", endpoint = "save_client")]
pub async fn save_client(#[server(flatten)] form: ClientForm) -> Result<(), AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageClients).await?;
    let id = super::server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    let page = if form.id.is_empty() { "" } else { "/settings" };
    leptos_axum::redirect(&format!("/clients/{id}{page}"));
    Ok(())
}

/// Archives (`status` = archived) or restores (active) a client.
#[server(prefix = "/rpc", endpoint = "set_client_status")]
pub async fn set_client_status(id: String, status: String) -> Result<(), AppError> {
    use patchbay_access::{Action, server::scope};
    let status = status.parse().map_err(|error: String| AppError::invalid("status", error))?;
    let mut tx = scope()?.write(Action::ManageClients).await?;
    super::server::ops::set_status(&mut tx, id.parse()?, status).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/clients/{id}/settings"));
    Ok(())
}
