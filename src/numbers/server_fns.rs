use leptos::prelude::*;

use super::model::{
    AssignForm, FoundNumber, NumberList, NumberPage, NumberQuery, NumberRow, NumberSearchForm, OrderForm, OwnedForm,
};
use patchbay_agents::model::ClientChoice;
use patchbay_shared::AppError;

/// The agency's numbers.
#[server(prefix = "/rpc", endpoint = "list_numbers")]
pub async fn list_numbers(#[server(default)] query: NumberQuery) -> Result<NumberList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::list(&mut tx, &query).await
}

/// The first numbers of one client, for the client's page.
#[server(prefix = "/rpc", endpoint = "client_numbers")]
pub async fn client_numbers(client: String) -> Result<Vec<NumberRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let query = NumberQuery { client: Some(client), ..NumberQuery::default() };
    Ok(store::list(&mut tx, &query, patchbay_shared::page::FIRST_FEW).await?.rows)
}

/// One number. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_number")]
pub async fn get_number(id: String) -> Result<NumberPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::page(&mut tx, id.parse()?).await
}

/// Clients that a new number can belong to.
#[server(prefix = "/rpc", endpoint = "number_clients")]
pub async fn number_clients() -> Result<Vec<ClientChoice>, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageNumbers).await?;
    patchbay_agents::server::clients(&mut tx).await
}

/// Numbers that the carrier offers now. Errors: `Invalid`; `ProviderDown`; `Conflict` when no carrier is connected.
#[server(prefix = "/rpc", endpoint = "search_numbers")]
pub async fn search_numbers(form: NumberSearchForm) -> Result<Vec<FoundNumber>, AppError> {
    super::server::ops::search(&patchbay_access::server::scope()?, &form).await
}

/// Orders a number; its page shows how far the order is.
#[server(prefix = "/rpc", endpoint = "order_number")]
pub async fn order_number(#[server(flatten)] form: OrderForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageNumbers).await?;
    let id = server::ops::order(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}

/// Adds a number that the agency rents already. Errors: `Invalid` when the carrier answers and does not list it.
#[server(prefix = "/rpc", endpoint = "add_owned_number")]
pub async fn add_owned_number(#[server(flatten)] form: OwnedForm) -> Result<(), AppError> {
    let id = super::server::ops::add_owned(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}

/// Sets client, direction, and who answers: agent, hours, another agent outside them, and what a caller hears else.
#[server(prefix = "/rpc", endpoint = "assign_number")]
pub async fn assign_number(#[server(flatten)] form: AssignForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageNumbers).await?;
    let id = form.id.parse()?;
    server::ops::assign(&mut tx, id, &form.check()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}

/// Has the carrier asked where the agency's calls go now; `set`: and told where this number's should go.
#[server(prefix = "/rpc", endpoint = "check_number_route")]
pub async fn check_number_route(id: String, set: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageNumbers).await?;
    let id = id.parse()?;
    server::ops::check_route(&mut tx, id, set.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}

/// Sets `active` or `inactive`. Errors: `Conflict` for a number that is ordered or released.
#[server(prefix = "/rpc", endpoint = "set_number_status")]
pub async fn set_number_status(id: String, status: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageNumbers).await?;
    let id = id.parse()?;
    server::ops::set_status(&mut tx, id, &status).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}

/// Gives a number back to the carrier for good. Errors: `Conflict` while active campaigns call from it; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "release_number")]
pub async fn release_number(id: String) -> Result<(), AppError> {
    let id = id.parse()?;
    super::server::ops::release(&patchbay_access::server::scope()?, id).await?;
    leptos_axum::redirect(&format!("/numbers/{id}"));
    Ok(())
}
