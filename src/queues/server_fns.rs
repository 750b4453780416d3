use leptos::prelude::*;

use super::model::{QueueList, QueueQuery};
use patchbay_shared::AppError;

/// Work of all queues that is stuck, or in whatever state is asked for.
#[server(prefix = "/rpc", endpoint = "list_queue")]
pub async fn list_queue(#[server(default)] query: QueueQuery) -> Result<QueueList, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadQueues).await?;
    store::list(&mut tx, &query, store::PAGE).await
}

/// Has one failed piece of work tried again, with all its attempts. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "retry_work")]
pub async fn retry_work(source: String, id: String, #[server(default)] back: String) -> Result<(), AppError> {
    use super::server::ops;
    ops::retry(&patchbay_access::server::scope()?, &source, &id).await?;
    leptos_axum::redirect(&ops::back(&back));
    Ok(())
}

/// Has the failed work that the list's filters select tried again. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "retry_failed_work")]
pub async fn retry_failed_work(
    #[server(default)] queue: String,
    #[server(default)] status: String,
    #[server(default)] back: String,
) -> Result<(), AppError> {
    use super::server::ops;
    ops::retry_failed(&patchbay_access::server::scope()?, &queue, &status).await?;
    leptos_axum::redirect(&ops::back(&back));
    Ok(())
}

/// Sets a failed piece of work aside: it is not tried again, and is stuck no more. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "discard_work")]
pub async fn discard_work(source: String, id: String, #[server(default)] back: String) -> Result<(), AppError> {
    use super::server::ops;
    ops::discard(&patchbay_access::server::scope()?, &source, &id).await?;
    leptos_axum::redirect(&ops::back(&back));
    Ok(())
}
