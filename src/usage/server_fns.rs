use leptos::prelude::*;

use super::model::{ClientPeriod, PeriodAsked, Usage};
use patchbay_shared::AppError;

/// Minutes, tokens and money of some days, by default the last thirty, beside the days before. `client` narrows it for the agency;
/// `by` is `day`, `week` or `month`; `sort` is the order of the clients. Errors: `NotFound` for a client's people whose agency does not share costs.
#[server(prefix = "/rpc", endpoint = "get_usage")]
pub async fn get_usage(
    client: Option<String>,
    #[server(default)] asked: PeriodAsked,
    by: Option<String>,
    sort: Option<String>,
) -> Result<Usage, AppError> {
    let request = super::server::Request {
        client: client.as_deref(),
        asked: &asked,
        by: by.as_deref(),
        sort: sort.as_deref(),
        is_strict: false,
        most_clients: 50,
    };
    super::server::usage(&patchbay_access::server::scope()?, request).await
}

/// Some of one client's days, by default its calendar month, beside its budget. For the agency. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_client_usage")]
pub async fn get_client_usage(client: String, #[server(default)] asked: PeriodAsked) -> Result<ClientPeriod, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    super::server::client_usage(&mut tx, client.parse()?, &asked).await
}
