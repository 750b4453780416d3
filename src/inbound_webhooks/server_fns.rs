use leptos::prelude::*;

use super::model::Webhook;
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookId;

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
