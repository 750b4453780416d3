use leptos::prelude::*;

use super::model::{BatchPage, BatchQuery, BatchView, Readiness};
use patchbay_shared::AppError;

/// Batches, newest first.
#[server(prefix = "/rpc", endpoint = "list_batches")]
pub async fn list_batches(#[server(default)] query: BatchQuery) -> Result<BatchPage, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    store::list(&mut tx, &query, store::PAGE).await
}

/// One batch with its lines and results. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_batch")]
pub async fn get_batch(id: String) -> Result<BatchView, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    super::server::view::view(&mut tx, id.parse()?).await
}

/// What stands between a campaign and a batch. None without a campaign.
#[server(prefix = "/rpc", endpoint = "batch_readiness")]
pub async fn batch_readiness(campaign: Option<String>) -> Result<Option<Readiness>, AppError> {
    use patchbay_access::{Action, server::scope};
    let scope = scope()?;
    let Some(campaign) = campaign.filter(|id| !id.is_empty()) else { return Ok(None) };
    super::server::ops::readiness(&scope, Action::RunBatches, campaign.parse()?).await.map(Some)
}

/// Active campaigns, for the form.
#[server(prefix = "/rpc", endpoint = "batch_campaigns")]
pub async fn batch_campaigns() -> Result<Vec<(String, String)>, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::RunBatches).await?;
    super::server::store::campaigns(&mut tx).await
}

/// Creates a batch and starts it, now or at its time.
#[server(prefix = "/rpc", endpoint = "create_batch")]
pub async fn create_batch(
    campaign: String,
    name: String,
    #[server(default)] mode: String,
    #[server(default)] scheduled_for: String,
    concurrency: String,
    #[server(default)] limit: String,
) -> Result<(), AppError> {
    let form = super::model::BatchForm { campaign, name, mode, scheduled_for, concurrency, limit };
    let id = super::server::ops::create(&patchbay_access::server::scope()?, &form.check()?).await?;
    leptos_axum::redirect(&format!("/batches/{id}"));
    Ok(())
}

/// Stops new calls at once; running ones end by themselves. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "pause_batch")]
pub async fn pause_batch(id: String) -> Result<(), AppError> {
    super::server::ops::pause(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/batches/{id}"));
    Ok(())
}

/// Goes on with a paused batch. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "resume_batch")]
pub async fn resume_batch(id: String) -> Result<(), AppError> {
    super::server::ops::resume(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/batches/{id}"));
    Ok(())
}

/// Ends a batch for good; undialled contacts go back to the campaign. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "stop_batch")]
pub async fn stop_batch(id: String) -> Result<(), AppError> {
    super::server::ops::stop(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/batches/{id}"));
    Ok(())
}
