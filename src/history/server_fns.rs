use leptos::prelude::*;

use super::model::{Estimate, FailureQuery, GapList, GapQuery, HistoryPage, ImportForm, SyncPage, SyncQuery, SyncRow};
use patchbay_shared::ids::{CallGapId, HistoricalSyncId};
use patchbay_shared::{AppError, Page};

/// The past of a voice service: what can be brought in, what is being brought in, what is missing.
#[server(prefix = "/rpc", endpoint = "get_history")]
pub async fn get_history(
    provider: String,
    #[server(default)] from: Option<String>,
    #[server(default)] to: Option<String>,
) -> Result<HistoryPage, AppError> {
    super::server::views::history(&patchbay_access::server::scope()?, &provider, from, to).await
}

/// What the service says an import of these days would bring. Errors: `Invalid` at a day.
#[server(prefix = "/rpc", endpoint = "estimate_history")]
pub async fn estimate_history(
    provider: String,
    #[server(default)] from: Option<String>,
    #[server(default)] to: Option<String>,
) -> Result<Estimate, AppError> {
    super::server::ops::estimate(&patchbay_access::server::scope()?, &provider, from, to).await
}

/// Starts an import of past calls, or has it wait for the running one. Errors: `Invalid` at a field.
#[server(prefix = "/rpc", endpoint = "start_history_import")]
pub async fn start_history_import(#[server(flatten)] form: ImportForm) -> Result<(), AppError> {
    super::server::ops::start(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect(&format!("/connections/{}/history", form.provider));
    Ok(())
}

/// Cancels an import; what is in stays in.
#[server(prefix = "/rpc", endpoint = "cancel_history_import")]
pub async fn cancel_history_import(provider: String, id: HistoricalSyncId) -> Result<(), AppError> {
    super::server::ops::cancel(&patchbay_access::server::scope()?, id).await?;
    leptos_axum::redirect(&format!("/connections/{provider}/history"));
    Ok(())
}

/// Imports of past calls, newest first.
#[server(prefix = "/rpc", endpoint = "list_history_imports")]
pub async fn list_history_imports(
    provider: String,
    #[server(default)] query: SyncQuery,
) -> Result<Page<SyncRow>, AppError> {
    use super::server::{store::lists::PAGE, views};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    views::imports(&mut tx, &provider, &query, PAGE).await
}

/// One import with a page of what failed in it. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_history_import")]
pub async fn get_history_import(
    provider: String,
    id: String,
    #[server(default)] query: FailureQuery,
) -> Result<SyncPage, AppError> {
    use super::server::{store::lists::PAGE, views};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    views::import(&mut tx, &provider, id.parse()?, &query, PAGE).await
}

/// What is missing of the service's calls.
#[server(prefix = "/rpc", endpoint = "list_call_gaps")]
pub async fn list_call_gaps(provider: String, #[server(default)] query: GapQuery) -> Result<GapList, AppError> {
    use super::server::{store::gaps::PAGE, views};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    views::gaps(&mut tx, &provider, &query, PAGE).await
}

/// Compares the last thirty days with the service, in the background.
#[server(prefix = "/rpc", endpoint = "check_call_gaps")]
pub async fn check_call_gaps(provider: String) -> Result<(), AppError> {
    super::server::ops::check_now(&patchbay_access::server::scope()?, &provider).await?;
    leptos_axum::redirect(&format!("/connections/{provider}/history"));
    Ok(())
}

/// Closes one gap. Errors: `NotFound`; `Conflict` while the service has nothing new.
#[server(prefix = "/rpc", endpoint = "close_call_gap")]
pub async fn close_call_gap(provider: String, id: CallGapId) -> Result<(), AppError> {
    super::server::ops::close_one(&patchbay_access::server::scope()?, &provider, id).await?;
    leptos_axum::redirect(&format!("/connections/{provider}/history/gaps"));
    Ok(())
}

/// Closes all open gaps, in the background.
#[server(prefix = "/rpc", endpoint = "close_call_gaps")]
pub async fn close_call_gaps(provider: String) -> Result<(), AppError> {
    super::server::ops::close_all(&patchbay_access::server::scope()?, &provider).await?;
    leptos_axum::redirect(&format!("/connections/{provider}/history/gaps"));
    Ok(())
}
