use leptos::prelude::*;

use super::model::{Overview, SidebarCounts};
use patchbay_shared::AppError;
use patchbay_usage::model::PeriodAsked;

/// The dashboard, by default of today. `client` narrows it for agency roles.
#[server(prefix = "/rpc", endpoint = "get_overview")]
pub async fn get_overview(client: Option<String>, #[server(default)] asked: PeriodAsked) -> Result<Overview, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadUsage).await?;
    super::server::overview(&mut tx, client.as_deref(), &asked).await
}

/// Live calls, running batches and waiting approvals, for the sidebar.
#[server(prefix = "/rpc", endpoint = "sidebar_counts")]
pub async fn count_sidebar() -> Result<SidebarCounts, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCalls).await?;
    let approvals = tx.scope().may(Action::ReadApprovals);
    super::server::store::sidebar_counts(&mut tx, approvals).await
}
