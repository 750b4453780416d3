use leptos::prelude::*;

use super::model::{Webhook, WebhookList, WebhookQuery};
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookId;

/// Events as they came in, newest first.
#[server(prefix = "/rpc", endpoint = "list_webhooks")]
pub async fn list_webhooks(#[server(default)] query: WebhookQuery) -> Result<WebhookList, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadQueues).await?;
    store::list(&mut tx, &query, store::PAGE).await
}

/// One event with headers and body. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_webhook")]
pub async fn get_webhook(id: String) -> Result<Webhook, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadQueues).await?;
    store::get(&mut tx, id.parse()?).await
}

/// Works one event through again. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "replay_webhook")]
pub async fn replay_webhook(id: WebhookId) -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ReplayQueues).await?;
    ops::replay(&mut tx, id).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/webhooks/inbound/{id}"));
    Ok(())
}

/// Works all failed events through again.
#[server(prefix = "/rpc", endpoint = "replay_failed_webhooks")]
pub async fn replay_failed_webhooks() -> Result<(), AppError> {
    use super::server::ops;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ReplayQueues).await?;
    ops::replay_failed(&mut tx).await?;
    tx.commit().await?;
    leptos_axum::redirect("/webhooks/inbound");
    Ok(())
}
