use leptos::prelude::*;

use super::model::{
    Adoptable, AdoptableList, AdoptableQuery, AgentChoices, AgentForm, AgentList, AgentPage, AgentQuery, AgentRow,
    AgentVersions, GiveForm, NewTemplatePage, TakeForm, TemplateForm, TemplatePage, TemplateQuery, TemplateRow,
    VersionQuery,
};
use patchbay_shared::{AppError, Page};

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

/// Makes an agent, and its prompt if one was written, and has it sent to the voice service; or saves what is changed of one as its
/// draft. Errors: `Invalid`; `Conflict` when somebody saved meanwhile.
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

/// Has calls use the draft. `base`: what the page showed. Errors: `Conflict` with what stands in the way.
#[server(prefix = "/rpc", endpoint = "publish_agent")]
pub async fn publish_agent(id: String, #[server(default)] base: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::drafts::publish(&mut tx, id.parse()?, base.trim()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Throws the draft away.
#[server(prefix = "/rpc", endpoint = "discard_agent_draft")]
pub async fn discard_agent_draft(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::drafts::discard(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// The versions of an agent that were published. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_agent_versions")]
pub async fn list_agent_versions(
    id: String,
    #[server(default)] query: VersionQuery,
) -> Result<AgentVersions, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::drafts::list(&mut tx, id.parse()?, &query).await
}

/// Puts an older version into the draft. Errors: `Conflict` while there is another draft.
#[server(prefix = "/rpc", endpoint = "restore_agent_version")]
pub async fn restore_agent_version(id: String, version: i32) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::drafts::restore(&mut tx, id.parse()?, version).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Has the voice service asked what it holds of the agent.
#[server(prefix = "/rpc", endpoint = "compare_agent")]
pub async fn compare_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::compare::ask(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Takes over what the voice service has of one copy. Errors: `Conflict` when there is nothing; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "take_agent_from_service")]
pub async fn take_agent_from_service(id: String, mapping: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::compare::take_theirs(&scope()?, id.parse()?, mapping.parse()?).await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Agents that the voice service has and Patchbay does not know.
#[server(prefix = "/rpc", endpoint = "list_adoptable_agents")]
pub async fn list_adoptable_agents(#[server(default)] query: AdoptableQuery) -> Result<AdoptableList, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::adopt::list(&scope()?, &query).await
}

/// One of them. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_adoptable_agent")]
pub async fn get_adoptable_agent(id: String) -> Result<Adoptable, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::adopt::get(&scope()?, &id).await
}

/// Makes an agent of one that the voice service has.
#[server(prefix = "/rpc", endpoint = "adopt_agent")]
pub async fn adopt_agent(
    provider_agent: String,
    #[server(default)] name: String,
    #[server(default)] client_id: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let id = server::adopt::adopt(&scope()?, &provider_agent, &name, &client_id).await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Makes another agent of the same settings.
#[server(prefix = "/rpc", endpoint = "duplicate_agent")]
pub async fn duplicate_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let made = server::lifecycle::duplicate(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{made}"));
    Ok(())
}

/// Deactivates an agent: it takes no calls and leaves the lists, and can be restored. Owners only.
#[server(prefix = "/rpc", endpoint = "deactivate_agent")]
pub async fn deactivate_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DeleteAgents).await?;
    server::lifecycle::set_active(&mut tx, id.parse()?, false).await?;
    tx.commit().await?;
    leptos_axum::redirect("/agents?status=inactive");
    Ok(())
}

/// Brings a deactivated agent back, paused. Owners only.
#[server(prefix = "/rpc", endpoint = "restore_agent")]
pub async fn restore_agent(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DeleteAgents).await?;
    server::lifecycle::set_active(&mut tx, id.parse()?, true).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Deletes an agent for good, here and at the voice service; its calls stay. `name` is typed as proof. Owners only.
#[server(prefix = "/rpc", endpoint = "delete_agent")]
pub async fn delete_agent(id: String, #[server(default)] name: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DeleteAgents).await?;
    server::lifecycle::delete(&mut tx, id.parse()?, &name).await?;
    tx.commit().await?;
    leptos_axum::redirect("/agents?status=deleted");
    Ok(())
}

/// Templates of agents, by name.
#[server(prefix = "/rpc", endpoint = "list_agent_templates")]
pub async fn list_agent_templates(#[server(default)] query: TemplateQuery) -> Result<Page<TemplateRow>, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::templates::list(&mut tx, &query).await
}

/// One template; `version`: with what came to be other since that one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_agent_template")]
pub async fn get_agent_template(
    id: String,
    version: Option<String>,
    cursor: Option<String>,
) -> Result<TemplatePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::templates::page(&mut tx, id.parse()?, version.as_deref(), cursor.as_deref()).await
}

/// What the form begins with that makes a template of an agent. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "new_agent_template")]
pub async fn new_agent_template(agent: String, into: Option<String>) -> Result<NewTemplatePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageAgents).await?;
    server::templates::new_page(&mut tx, agent.parse()?, into.as_deref()).await
}

/// Makes a template of an agent as it is published, or the next version of one. Errors: `Invalid`; `Conflict` with the next step.
#[server(prefix = "/rpc", endpoint = "save_agent_template")]
pub async fn save_agent_template(#[server(flatten)] form: TemplateForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::templates::make(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/templates/{id}"));
    Ok(())
}

/// Makes an agent of a template for a client, as a draft. Errors: `Invalid`; `Conflict` with the next step.
#[server(prefix = "/rpc", endpoint = "give_agent_template")]
pub async fn give_agent_template(#[server(flatten)] form: GiveForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::templates::give(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Archives a template, or brings it back (`on` given). Its agents stay. Errors: `Conflict`.
#[server(prefix = "/rpc", endpoint = "set_agent_template_active")]
pub async fn set_agent_template_active(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::templates::set_active(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/templates/{id}"));
    Ok(())
}

/// Takes what an agent's template has over into the agent's draft. Errors: `Conflict` when either has changed since.
#[server(prefix = "/rpc", endpoint = "take_from_template")]
pub async fn take_from_template(#[server(flatten)] form: TakeForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::following::take(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}

/// Leaves an agent as it is beside the newest version of its template. Errors: as `take_from_template`.
#[server(prefix = "/rpc", endpoint = "keep_beside_template")]
pub async fn keep_beside_template(id: String, #[server(default)] version: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::following::keep(&mut tx, id.parse()?, &version).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{id}"));
    Ok(())
}
