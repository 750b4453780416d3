use leptos::prelude::*;

use super::model::{CaseForm, CasePage, CaseQuery, CasesPage, RunForm, SuiteList, SuitePage, SuiteQuery};
use patchbay_shared::AppError;

/// An agent's cases with what came of them last. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_test_cases")]
pub async fn list_test_cases(agent: String, #[server(default)] query: CaseQuery) -> Result<CasesPage, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::ops::page(&scope()?, agent.parse()?, &query).await
}

/// One case, what a new one begins with, or what a call makes of one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_test_case")]
pub async fn get_test_case(agent: String, id: Option<String>, call: Option<String>) -> Result<CasePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let id = id.map(|id| id.parse()).transpose()?;
    server::ops::case_page(&mut tx, agent.parse()?, id, call.as_deref()).await
}

/// Makes or changes a case. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_test_case")]
pub async fn save_test_case(#[server(flatten)] form: CaseForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let id = server::ops::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{}/tests/{id}", form.agent));
    Ok(())
}

/// Removes a case; its results stay. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_test_case")]
pub async fn remove_test_case(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::remove(&mut tx, agent.parse()?, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tests"));
    Ok(())
}

/// Has all cases pass before a version goes to production (`on` given), or not. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "gate_production")]
pub async fn gate_production(agent: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::set_gate(&mut tx, agent.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/tests"));
    Ok(())
}

/// Runs cases of an agent, and leads to the run. Errors: `Invalid`, `NotFound`; `Conflict` with the next step.
#[server(prefix = "/rpc", endpoint = "run_test_cases")]
pub async fn run_test_cases(#[server(flatten)] form: RunForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let id = server::running::start(&scope()?, &form).await?;
    leptos_axum::redirect(&format!("/test-runs/{id}"));
    Ok(())
}

/// Stops a run. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "stop_suite_run")]
pub async fn stop_suite_run(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::running::stop(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/test-runs/{id}"));
    Ok(())
}

/// Runs of an agent's cases, newest first. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_suite_runs")]
pub async fn list_suite_runs(agent: String, #[server(default)] query: SuiteQuery) -> Result<SuiteList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::running::list(&mut tx, agent.parse()?, &query).await
}

/// One run; `with` beside another one, `shown` with one of its results. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_suite_run")]
pub async fn get_suite_run(id: String, with: Option<String>, shown: Option<String>) -> Result<SuitePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::running::page(&mut tx, id.parse()?, with.as_deref(), shown.as_deref()).await
}
