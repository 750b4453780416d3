use leptos::prelude::*;

use super::model::{
    AgentSkillsPage, ImportForm, ImportPage, SkillFileForm, SkillForm, SkillList, SkillPage, SkillQuery,
};
use patchbay_shared::AppError;

/// The agency's skills.
#[server(prefix = "/rpc", endpoint = "list_skills")]
pub async fn list_skills(#[server(default)] query: SkillQuery) -> Result<SkillList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::list(&mut tx, &query).await
}

/// One skill with its agents. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_skill")]
pub async fn get_skill(id: String) -> Result<SkillPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::page(&mut tx, id.parse()?).await
}

/// Makes or changes a skill. Its agents are sent to the voice service again. Errors: `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "save_skill")]
pub async fn save_skill(#[server(flatten)] form: SkillForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    let id = server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/skills/{id}"));
    Ok(())
}

/// Writes a reference or a script of a skill. Errors: `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "save_skill_file")]
pub async fn save_skill_file(#[server(flatten)] form: SkillFileForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    let id = server::ops::save_file(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/skills/{id}"));
    Ok(())
}

/// Removes a reference or a script of a skill.
#[server(prefix = "/rpc", endpoint = "remove_skill_file")]
pub async fn remove_skill_file(id: String, kind: String, old_name: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::ops::remove_file(&mut tx, id.parse()?, &kind, &old_name).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/skills/{id}"));
    Ok(())
}

/// Restores a skill (`on` given) or deactivates it.
#[server(prefix = "/rpc", endpoint = "set_skill_active")]
pub async fn set_skill_active(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::ops::set_active(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/skills/{id}"));
    Ok(())
}

/// An agent's skills, and what it is told. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_agent_skills")]
pub async fn list_agent_skills(agent: String) -> Result<AgentSkillsPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::attaching::page(&mut tx, agent.parse()?).await
}

/// Gives an agent a skill; `from` is the page that asked. Errors: `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "attach_skill")]
pub async fn attach_skill(
    #[server(default)] agent: String,
    #[server(default)] skill: String,
    from: Option<String>,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::attaching::attach_chosen(&mut tx, &agent, &skill).await?;
    tx.commit().await?;
    leptos_axum::redirect(&server::attaching::back(from.as_deref(), &agent, &skill));
    Ok(())
}

/// Takes a skill from an agent; `from` is the page that asked.
#[server(prefix = "/rpc", endpoint = "detach_skill")]
pub async fn detach_skill(agent: String, skill: String, from: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::attaching::detach(&mut tx, agent.parse()?, skill.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&server::attaching::back(from.as_deref(), &agent, &skill));
    Ok(())
}

/// Moves a skill of an agent one place `up` or `down`.
#[server(prefix = "/rpc", endpoint = "move_skill")]
pub async fn move_skill(agent: String, skill: String, to: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::attaching::shift(&mut tx, agent.parse()?, skill.parse()?, &to).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/skills"));
    Ok(())
}

/// What taking an uploaded archive would do. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_skill_import")]
pub async fn get_skill_import(id: String) -> Result<ImportPage, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.read(server::MANAGE).await?;
    server::importing::page(&mut tx, id.parse()?).await
}

/// Takes the chosen skills of an archive. Errors: `NotFound`; `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "import_skills")]
pub async fn import_skills(#[server(flatten)] form: ImportForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::importing::apply(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect("/skills?sort=-changed");
    Ok(())
}

/// Forgets an uploaded archive. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "discard_skill_import")]
pub async fn discard_skill_import(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let mut tx = scope()?.write(server::MANAGE).await?;
    server::importing::discard(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect("/skills");
    Ok(())
}
