use leptos::prelude::*;

use super::model::{ChoiceForm, NewToolPage, ToolForm, ToolPage, ToolsPage, TryForm, UseList, UsePage, UseQuery};
use patchbay_shared::AppError;

/// An agent's tools with what became of them lately. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_agent_tools")]
pub async fn list_agent_tools(agent: String) -> Result<ToolsPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::tools_page(&mut tx, agent.parse()?).await
}

/// What the form of a new tool needs. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "new_agent_tool")]
pub async fn new_agent_tool(agent: String) -> Result<NewToolPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageAgents).await?;
    server::ops::new_page(&mut tx, agent.parse()?).await
}

/// One tool; `tried` shows a try of it, `function` which of several functions is tried. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_agent_tool")]
pub async fn get_agent_tool(
    agent: String,
    id: String,
    function: Option<String>,
    tried: Option<String>,
) -> Result<ToolPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::tool_page(&mut tx, agent.parse()?, id.parse()?, function.as_deref(), tried.as_deref()).await
}

/// Makes or changes a tool. The agent is sent to the voice service again. Errors: `Invalid`.
#[server(prefix = "/rpc", endpoint = "save_agent_tool")]
pub async fn save_agent_tool(#[server(flatten)] form: ToolForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{}/tools/{id}", form.agent));
    Ok(())
}

/// Switches a tool on (`on` given) or off.
#[server(prefix = "/rpc", endpoint = "switch_agent_tool")]
pub async fn switch_agent_tool(agent: String, id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::switch(&mut tx, agent.parse()?, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tools"));
    Ok(())
}

/// Moves a tool one place `up` or `down`.
#[server(prefix = "/rpc", endpoint = "move_agent_tool")]
pub async fn move_agent_tool(agent: String, id: String, to: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::shift(&mut tx, agent.parse()?, id.parse()?, &to).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tools"));
    Ok(())
}

/// Removes a tool. What became of its uses is kept.
#[server(prefix = "/rpc", endpoint = "remove_agent_tool")]
pub async fn remove_agent_tool(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::remove(&mut tx, agent.parse()?, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tools"));
    Ok(())
}

/// Asks a tool's server which functions it offers. Errors: `Invalid` when it cannot say; `Conflict` while the agency is suspended.
#[server(prefix = "/rpc", endpoint = "list_tool_functions")]
pub async fn list_tool_functions(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::offers::ask(&scope()?, agent.parse()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tools/{id}#functions"));
    Ok(())
}

/// Chooses which functions of a server an agent may use, in the words that the page showed. Errors: `Invalid`; `Conflict` when the list is
/// another one by now.
#[server(prefix = "/rpc", endpoint = "choose_tool_functions")]
pub async fn choose_tool_functions(#[server(flatten)] form: ChoiceForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::offers::choose(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{}/tools/{}#functions", form.agent, form.id));
    Ok(())
}

/// Uses a tool once, for real, and leads to what came of it. Errors: `Invalid`; `Conflict` while the agency is suspended.
#[server(prefix = "/rpc", endpoint = "try_agent_tool")]
pub async fn try_agent_tool(#[server(flatten)] form: TryForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let tried = server::trying::try_it(&scope()?, &form).await?;
    let function = patchbay_ui::address::escape(&form.function);
    leptos_axum::redirect(&format!("/agents/{}/tools/{}?function={function}&tried={tried}#try", form.agent, form.id));
    Ok(())
}

/// Uses of an agent's tools, newest first.
#[server(prefix = "/rpc", endpoint = "list_tool_uses")]
pub async fn list_tool_uses(agent: String, #[server(default)] query: UseQuery) -> Result<UseList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::uses(&mut tx, agent.parse()?, &query).await
}

/// One use: what was asked and what came back. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_tool_use")]
pub async fn get_tool_use(id: String) -> Result<UsePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::use_page(&mut tx, id.parse()?).await
}

/// Forgets one note that agents keep about a contact.
#[server(prefix = "/rpc", endpoint = "forget_contact_memory")]
pub async fn forget_contact_memory(contact: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageContacts).await?;
    server::memory::forget(&mut tx, contact.parse()?, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/contacts/{contact}"));
    Ok(())
}
