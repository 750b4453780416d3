use leptos::prelude::*;

use super::model::{PromptForm, PromptList, PromptPage, PromptQuery};
use patchbay_shared::AppError;

/// Prompts by name.
#[server(prefix = "/rpc", endpoint = "list_prompts")]
pub async fn list_prompts(#[server(default)] query: PromptQuery) -> Result<PromptList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::list(&mut tx, &query).await
}

/// One prompt with its versions; `version` shows an older one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_prompt")]
pub async fn get_prompt(id: String, version: Option<i32>) -> Result<PromptPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::page(&mut tx, id.parse()?, version).await
}

/// Makes a prompt, or saves a new version of one. Errors: `Invalid`; `Conflict` when somebody saved meanwhile, and says who.
#[server(prefix = "/rpc", endpoint = "save_prompt")]
pub async fn save_prompt(#[server(flatten)] form: PromptForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    let id = server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Saves an old version's text as the newest version, in production.
#[server(prefix = "/rpc", endpoint = "restore_prompt_version")]
pub async fn restore_prompt_version(id: String, version: i32) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::restore_version(&mut tx, id.parse()?, version).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Lets agents use this version from now on.
#[server(prefix = "/rpc", endpoint = "use_prompt_version")]
pub async fn use_prompt_version(id: String, version: i32) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::use_version(&mut tx, id.parse()?, version).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Deactivates a prompt (`on` absent) or restores it. Errors: `Conflict` while agents use it.
#[server(prefix = "/rpc", endpoint = "set_prompt_active")]
pub async fn set_prompt_active(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::set_active(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}
