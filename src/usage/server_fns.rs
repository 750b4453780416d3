use leptos::prelude::*;

use super::model::Usage;
use crate::shared::AppError;

/// Minutes, tokens and money of the last thirty days. `client` narrows it for the agency. Errors: `NotFound` for a client's people
/// whose agency does not share costs.
#[server(prefix = "/rpc", endpoint = "get_usage")]
pub async fn get_usage(client: Option<String>) -> Result<Usage, AppError> {
    super::server::usage(&crate::access::server::scope()?, client.as_deref()).await
}
