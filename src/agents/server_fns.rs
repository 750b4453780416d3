use leptos::prelude::*;

use super::model::{AgentChoices, AgentForm, AgentList, AgentPage, AgentQuery, AgentRow};
use patchbay_shared::AppError;

/// Agents by name. A client's admin reads names and states.
#[server(prefix = "/rpc", endpoint = "list_agents")]
pub async fn list_agents(#[server(default)] query: AgentQuery) -> Result<AgentList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadAgents).await?;
    server::ops::list(&mut tx, &query).await
}

/// The first agents of one client, for the client's page.
#[server(prefix = "/rpc", endpoint = "client_agents")]
pub async fn client_agents(client: String) -> Result<Vec<AgentRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let query = AgentQuery { client: Some(client), ..AgentQuery::default() };
    Ok(store::list(&mut tx, &query, patchbay_shared::page::FIRST_FEW).await?.rows)
}

/// One agent with its prompt, mappings and numbers. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_agent")]
pub async fn get_agent(id: String) -> Result<AgentPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::page(&mut tx, id.parse()?).await
}

/// Clients and prompts for the form.
#[server(prefix = "/rpc", endpoint = "get_agent_choices")]
pub async fn get_agent_choices() -> Result<AgentChoices, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::choices(&mut tx).await
}

/// Makes or changes an agent, and its prompt if one was written, and has it sent to the voice service.
/// Errors: `Invalid`; `Conflict` when somebody saved the prompt meanwhile.
#[server(prefix = "/rpc", endpoint = "save_agent")]
pub async fn save_agent(#[server(flatten)] form: AgentForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Sets `active` or `paused`. Errors: `Conflict` with what is missing.
#[server(prefix = "/rpc", endpoint = "set_agent_status")]
pub async fn set_agent_status(id: String, status: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::set_status(&mut tx, id.parse()?, &status).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Has the agent sent to the voice service again.
#[server(prefix = "/rpc", endpoint = "sync_agent")]
pub async fn sync_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::sync_again(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Deletes an agent: it takes no calls and leaves the lists, and can be restored. Owners only.
#[server(prefix = "/rpc", endpoint = "delete_agent")]
pub async fn delete_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DeleteAgents).await?;
    server::ops::set_active(&mut tx, id.parse()?, false).await?;
    tx.commit().await?;
    leptos_axum::redirect("/agents?status=inactive");
    Ok(())
}

/// Brings a deleted agent back, paused. Owners only.
#[server(prefix = "/rpc", endpoint = "restore_agent")]
pub async fn restore_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DeleteAgents).await?;
    server::ops::set_active(&mut tx, id.parse()?, true).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}
