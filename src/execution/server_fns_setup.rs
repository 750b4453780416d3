use leptos::prelude::*;

use super::model::setup::{EngineForm, EnginePage, EnginesPage, SetupQuery, TargetForm, TargetPage, TargetsPage};
use patchbay_shared::AppError;

/// Engines.
#[server(prefix = "/rpc", endpoint = "list_execution_engines")]
pub async fn list_execution_engines(#[server(default)] query: SetupQuery) -> Result<EnginesPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::engines::list(&mut tx, &query).await
}

/// One engine, or what a new one of this type begins with. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_execution_engine")]
pub async fn get_execution_engine(id: Option<String>, kind: Option<String>) -> Result<EnginePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let id = id.map(|id| id.parse()).transpose()?;
    server::engines::page(&mut tx, id, kind.as_deref()).await
}

/// Makes or changes an engine. Errors: `Invalid`, `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "save_execution_engine")]
pub async fn save_execution_engine(#[server(flatten)] form: EngineForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    let id = server::engines::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/engines/{id}"));
    Ok(())
}

/// Makes an engine the default. Errors: `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "default_execution_engine")]
pub async fn default_execution_engine(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::engines::make_default(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/engines/{id}"));
    Ok(())
}

/// Deactivates an engine (`on` absent) or restores it. Errors: `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "switch_execution_engine")]
pub async fn switch_execution_engine(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::engines::switch(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/engines/{id}"));
    Ok(())
}

/// Adds an engine of each type, and this machine as a target where that is allowed: for an agency that has none.
#[server(prefix = "/rpc", endpoint = "add_usual_execution")]
pub async fn add_usual_execution() -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::engines::add_usual(&mut tx).await?;
    server::targets::add_usual(&mut tx).await?;
    tx.commit().await?;
    leptos_axum::redirect("/execution/engines");
    Ok(())
}

/// Targets.
#[server(prefix = "/rpc", endpoint = "list_execution_targets")]
pub async fn list_execution_targets(#[server(default)] query: SetupQuery) -> Result<TargetsPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::targets::list(&mut tx, &query).await
}

/// One target, or what a new one of this type begins with. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_execution_target")]
pub async fn get_execution_target(id: Option<String>, kind: Option<String>) -> Result<TargetPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let id = id.map(|id| id.parse()).transpose()?;
    server::targets::page(&mut tx, id, kind.as_deref()).await
}

/// Makes or changes a target. Errors: `Invalid`, `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "save_execution_target")]
pub async fn save_execution_target(#[server(flatten)] form: TargetForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    let id = server::targets::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/targets/{id}"));
    Ok(())
}

/// Gives a target another secret, or takes it away when it is empty. Errors: `Invalid`, `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "seal_execution_target")]
pub async fn seal_execution_target(
    id: String,
    #[server(default)] secret: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::visitor};
    let visitor = visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let mut tx = visitor.scope()?.write(Action::ManageConnections).await?;
    server::targets::set_secret(&mut tx, id.parse()?, &secret).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/targets/{id}"));
    Ok(())
}

/// Asks a target now; what it says is kept and shown. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "check_execution_target")]
pub async fn check_execution_target(id: String) -> Result<(), AppError> {
    use super::server;
    server::targets::check(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/execution/targets/{id}"));
    Ok(())
}

/// Deactivates a target (`on` absent) or restores it. Errors: `NotFound`, `Conflict`.
#[server(prefix = "/rpc", endpoint = "switch_execution_target")]
pub async fn switch_execution_target(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::targets::switch(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/targets/{id}"));
    Ok(())
}

/// Holds a target (`on` given) or lets it go on. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "hold_execution_target")]
pub async fn hold_execution_target(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::targets::hold(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/execution/targets/{id}"));
    Ok(())
}
