use leptos::prelude::*;

use super::model::{CallChoices, CallDetail, CallList, CallPrompt, CallQuery, CallRow};
use patchbay_shared::AppError;

/// A page of calls, newest first, with the calls that go on now and what the filters offer.
#[server(prefix = "/rpc", endpoint = "list_calls")]
pub async fn list_calls(#[server(default)] query: CallQuery) -> Result<CallList, AppError> {
    super::server::ops::list(&patchbay_access::server::scope()?, query).await
}

/// The latest calls of one client, for the client's page.
#[server(prefix = "/rpc", endpoint = "client_calls")]
pub async fn client_calls(client: String) -> Result<Vec<CallRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let query = CallQuery { client: Some(client), ..CallQuery::default() };
    Ok(store::list(&mut tx, &query, patchbay_shared::page::FIRST_FEW, false).await?.0.rows)
}

/// What the list's filters offer, by the client in the query, and the names of what the query narrows to.
#[server(prefix = "/rpc", endpoint = "list_call_choices")]
pub async fn list_call_choices(#[server(default)] query: CallQuery) -> Result<CallChoices, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCalls).await?;
    store::choices(&mut tx, &query).await
}

/// One call with everything the viewer may see of it. `list`: the query of the list it was opened from. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_call")]
pub async fn get_call(id: String, list: Option<String>) -> Result<CallDetail, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let id: patchbay_shared::ids::CallId = id.parse()?;
    let list = CallQuery::parse(list.as_deref().unwrap_or_default());
    let mut tx = scope()?.read(Action::ReadCalls).await?;
    store::detail::get(&mut tx, id, &list).await
}

/// The prompt version that a call used. Errors: `NotFound`, also for a client's people whose agency does not share prompts.
#[server(prefix = "/rpc", endpoint = "get_call_prompt")]
pub async fn get_call_prompt(id: String) -> Result<CallPrompt, AppError> {
    super::server::prompt::read(&patchbay_access::server::scope()?, id.parse()?).await
}

/// Marks a call as reviewed (`on` present) or takes the mark away. With `next` the page of that call comes after it.
#[server(prefix = "/rpc", endpoint = "review_call")]
pub async fn review_call(
    id: String,
    on: Option<String>,
    next: Option<String>,
    list: Option<String>,
) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    use patchbay_shared::ids::CallId;
    let call: CallId = id.parse()?;
    let mut tx = scope()?.write(Action::ReviewCalls).await?;
    ops::set_reviewed(&mut tx, call, on.is_some()).await?;
    tx.commit().await?;
    let then = next.as_deref().and_then(|id| id.parse::<CallId>().ok()).unwrap_or(call);
    leptos_axum::redirect(&CallQuery::parse(list.as_deref().unwrap_or_default()).call_address(then));
    Ok(())
}

/// Fetches the recording that an import left at the voice service.
#[server(prefix = "/rpc", endpoint = "fetch_call_recording")]
pub async fn fetch_call_recording(id: String, list: Option<String>) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    use patchbay_shared::ids::CallId;
    let call: CallId = id.parse()?;
    let mut tx = scope()?.write(Action::ReplayQueues).await?;
    ops::fetch_recording(&mut tx, call).await?;
    tx.commit().await?;
    leptos_axum::redirect(&CallQuery::parse(list.as_deref().unwrap_or_default()).call_address(call));
    Ok(())
}

/// Fetches the transcript (`kind` = `transcript`) or reads it (`analysis`) once more.
#[server(prefix = "/rpc", endpoint = "retry_enrichment")]
pub async fn retry_enrichment(id: String, kind: String, list: Option<String>) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    use patchbay_shared::ids::CallId;
    let call: CallId = id.parse()?;
    let kind = kind.parse().map_err(|message: String| AppError::invalid("kind", message))?;
    let mut tx = scope()?.write(Action::ReplayQueues).await?;
    ops::try_again(&mut tx, call, kind).await?;
    tx.commit().await?;
    leptos_axum::redirect(&CallQuery::parse(list.as_deref().unwrap_or_default()).call_address(call));
    Ok(())
}
