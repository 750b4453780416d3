use leptos::prelude::*;

use super::model::{ClientMonth, Usage};
use patchbay_shared::AppError;

/// Minutes, tokens and money of the last thirty days. `client` narrows it for the agency. Errors: `NotFound` for a client's people
/// whose agency does not share costs.
#[server(prefix = "/rpc", endpoint = "get_usage")]
pub async fn get_usage(client: Option<String>) -> Result<Usage, AppError> {
    super::server::usage(&patchbay_access::server::scope()?, client.as_deref()).await
}

/// One client's calendar month, beside its budget. For the agency. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_client_month")]
pub async fn get_client_month(client: String) -> Result<ClientMonth, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    super::server::client_month(&mut tx, client.parse()?).await
}
