use leptos::prelude::*;

use super::model::{Overview, SidebarCounts};
use patchbay_shared::AppError;

/// The dashboard. `client` narrows it for agency roles.
#[server(prefix = "/rpc", endpoint = "get_overview")]
pub async fn get_overview(client: Option<String>) -> Result<Overview, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadUsage).await?;
    super::server::overview(&mut tx, client.as_deref()).await
}

/// Live calls and running batches, for the sidebar.
#[server(prefix = "/rpc", endpoint = "sidebar_counts")]
pub async fn count_sidebar() -> Result<SidebarCounts, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCalls).await?;
    super::server::store::sidebar_counts(&mut tx).await
}
