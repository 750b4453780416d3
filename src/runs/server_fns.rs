use leptos::prelude::*;

use super::model::{CausePage, CauseQuery, CauseRow, RunList, RunPage, RunQuery};
use patchbay_shared::{AppError, Page};

/// Runs, newest first.
#[server(prefix = "/rpc", endpoint = "list_runs")]
pub async fn list_runs(#[server(default)] query: RunQuery) -> Result<RunList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::list(&mut tx, &query).await
}

/// One run with its steps; `with` shows another one beside it. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_run")]
pub async fn get_run(id: String, with: Option<String>) -> Result<RunPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let with = with.filter(|with| !with.is_empty()).map(|with| with.parse()).transpose()?;
    server::ops::page(&mut tx, id.parse()?, with).await
}

/// Causes of errors, those that were seen last first.
#[server(prefix = "/rpc", endpoint = "list_error_causes")]
pub async fn list_error_causes(#[server(default)] query: CauseQuery) -> Result<Page<CauseRow>, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::causes(&mut tx, &query).await
}

/// One cause with the times that its error came. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_error_cause")]
pub async fn get_error_cause(id: String, cursor: Option<String>) -> Result<CausePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::cause_page(&mut tx, id.parse()?, cursor.as_deref()).await
}

/// Says that a cause is mended (`on` given), or that it is not. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "resolve_error_cause")]
pub async fn resolve_error_cause(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::ops::resolve(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/errors/{id}"));
    Ok(())
}
