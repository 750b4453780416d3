use leptos::prelude::*;

use super::model::{
    AgainPage, CaseForm, CasePage, CaseQuery, CasesPage, ComparePage, GridForm, GridFormPage, GridList, GridPage,
    GridQuery, RunForm, SuiteList, SuitePage, SuiteQuery,
};
use patchbay_shared::AppError;

/// An agent's cases with what came of them last. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_test_cases")]
pub async fn list_test_cases(agent: String, #[server(default)] query: CaseQuery) -> Result<CasesPage, AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::ops::page(&scope()?, agent.parse()?, &query).await
}

/// One case, what a new one begins with, or what a call or another run makes of one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_test_case")]
pub async fn get_test_case(
    agent: String,
    id: Option<String>,
    call: Option<String>,
    run: Option<String>,
) -> Result<CasePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let id = id.map(|id| id.parse()).transpose()?;
    server::ops::case_page(&mut tx, agent.parse()?, id, call.as_deref(), run.as_deref()).await
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

/// The form of a grid with what is chosen, and what that would ask and cost. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_test_grid_form")]
pub async fn get_test_grid_form(agent: String, #[server(default)] query: GridForm) -> Result<GridFormPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageAgents).await?;
    server::grids::form(&mut tx, agent.parse()?, &query).await
}

/// Starts a grid and leads to it; or, with `look`, leads to the form with what it would cost. Errors: `Invalid`, `NotFound`; `Conflict` with
/// the next step.
#[server(prefix = "/rpc", endpoint = "start_test_grid")]
pub async fn start_test_grid(#[server(flatten)] form: GridForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let place = match form.look {
        Some(_) => server::grids::look(&mut scope()?.read(Action::ManageAgents).await?, &form).await?,
        None => format!("/test-grids/{}", server::grids::start(&scope()?, &form).await?),
    };
    leptos_axum::redirect(&place);
    Ok(())
}

/// Stops all cells of a grid. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "stop_test_grid")]
pub async fn stop_test_grid(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::grids::stop(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/test-grids/{id}"));
    Ok(())
}

/// Grids of an agent's cases, newest first. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_test_grids")]
pub async fn list_test_grids(agent: String, #[server(default)] query: GridQuery) -> Result<GridList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::grids::list(&mut tx, agent.parse()?, &query).await
}

/// One grid with its cells. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_test_grid")]
pub async fn get_test_grid(id: String) -> Result<GridPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::grids::page(&mut tx, id.parse()?).await
}

/// Two runs of one suite, case by case. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "compare_suite_runs")]
pub async fn compare_suite_runs(a: String, b: Option<String>) -> Result<ComparePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::compare::page(&mut tx, a.parse()?, b.map(|id| id.parse()).transpose()?).await
}

/// What would be run again of a run, or why it cannot be. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_run_again")]
pub async fn get_run_again(run: String) -> Result<AgainPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageAgents).await?;
    server::again::page(&mut tx, run.parse()?).await
}

/// Runs the run of a test again, and leads to it. Errors: `NotFound`, `Invalid`; `Conflict` with the reason why not.
#[server(prefix = "/rpc", endpoint = "run_test_again")]
pub async fn run_test_again(run: String, #[server(default)] budget: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let id = server::again::start(&scope()?, run.parse()?, &budget).await?;
    leptos_axum::redirect(&format!("/test-runs/{id}"));
    Ok(())
}
