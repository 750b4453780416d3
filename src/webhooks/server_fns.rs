use leptos::prelude::*;

use super::model::{EndpointForm, EndpointPage, NewSecret, WebhooksPage, WebhooksQuery};
use patchbay_shared::AppError;

/// The endpoints, the chosen one or else the first, its deliveries, and the opened one of them. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_webhooks")]
pub async fn get_webhooks(
    endpoint: Option<String>,
    delivery: Option<String>,
    #[server(default)] query: WebhooksQuery,
) -> Result<WebhooksPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let endpoint = endpoint.map(|id| id.parse()).transpose()?;
    let delivery = delivery.map(|id| id.parse()).transpose()?;
    let mut tx = scope()?.read(Action::ManageWebhooks).await?;
    server::pages::page(&mut tx, endpoint, delivery, &query).await
}

/// The form of a new endpoint, or of one that is there. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_webhook_endpoint")]
pub async fn get_webhook_endpoint(id: Option<String>) -> Result<EndpointPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let id = id.map(|id| id.parse()).transpose()?;
    let mut tx = scope()?.read(Action::ManageWebhooks).await?;
    server::pages::form(&mut tx, id).await
}

/// Makes an endpoint, whose secret its page shows once, or changes one. Errors: `Invalid`, `NotFound`; `Conflict` for too many.
#[server(prefix = "/rpc", endpoint = "save_webhook_endpoint")]
pub async fn save_webhook_endpoint(#[server(flatten)] form: EndpointForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::visitor;
    let visitor = visitor()?;
    let scope = visitor.scope()?;
    if form.id.is_empty() {
        let new = server::endpoints::create(&scope, &form.check()?).await?;
        return server::pages::show(&visitor, &new).await;
    }
    server::endpoints::save(&scope, form.id.parse()?, &form.check()?).await?;
    leptos_axum::redirect(&format!("/settings/webhooks/{}", form.id));
    Ok(())
}

/// Pauses an endpoint, or has it go on (`on` given), with what was kept meanwhile (`replay` given). Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "switch_webhook_endpoint")]
pub async fn switch_webhook_endpoint(id: String, on: Option<String>, replay: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    match on {
        Some(_) => server::endpoints::resume(&scope()?, id.parse()?, replay.is_some()).await?,
        None => server::endpoints::pause(&scope()?, id.parse()?).await?,
    }
    leptos_axum::redirect(&format!("/settings/webhooks/{id}"));
    Ok(())
}

/// Sends an event that says that it is a test, and leads to its delivery. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "send_test_event")]
pub async fn send_test_event(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let delivery = server::endpoints::send_test(&scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/settings/webhooks/{id}/deliveries/{delivery}"));
    Ok(())
}

/// Gives an endpoint another secret, which its page shows once; the present one signs, too, for so many hours. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "rotate_webhook_secret")]
pub async fn rotate_webhook_secret(id: String, hours: String) -> Result<(), AppError> {
    use super::model::LONGEST_OVERLAP;
    use super::server;
    use patchbay_access::server::visitor;
    let hours = hours.trim().parse().ok().filter(|hours| (1..=LONGEST_OVERLAP).contains(hours));
    let wrong =
        || AppError::invalid("hours", "Choose how long the present secret goes on: from an hour to seven days.");
    let visitor = visitor()?;
    let new = server::endpoints::rotate_secret(&visitor.scope()?, id.parse()?, hours.ok_or_else(wrong)?).await?;
    server::pages::show(&visitor, &new).await
}

/// Ends the secret before the present one at once. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "drop_old_webhook_secret")]
pub async fn drop_old_webhook_secret(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::endpoints::drop_old_secret(&scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/settings/webhooks/{id}"));
    Ok(())
}

/// Removes an endpoint: nothing is sent there any more. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_webhook_endpoint")]
pub async fn remove_webhook_endpoint(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::endpoints::remove(&scope()?, id.parse()?).await?;
    leptos_axum::redirect("/settings/webhooks");
    Ok(())
}

/// Sends deliveries of an endpoint again: each keeps its id and its body. Errors: `Invalid` when none is chosen; `NotFound`.
#[server(prefix = "/rpc", endpoint = "replay_deliveries")]
pub async fn replay_deliveries(
    endpoint: String,
    #[server(default)] deliveries: Vec<String>,
    #[server(default)] back: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let scope = scope()?;
    let id = endpoint.parse()?;
    let ids = deliveries.iter().map(|id| id.parse()).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Err(AppError::invalid("", "Choose the deliveries that are sent again."));
    }
    server::deliveries::replay(&scope, id, &ids).await?;
    leptos_axum::redirect(&server::pages::back(&endpoint, &back));
    Ok(())
}

/// Sends deliveries of a range of time again: those that failed, or with `range_of` = `all` those that went well, too.
/// Errors: `Invalid` at `from` or `to`; `NotFound`.
#[server(prefix = "/rpc", endpoint = "replay_delivery_range")]
pub async fn replay_delivery_range(
    endpoint: String,
    from: String,
    to: String,
    #[server(default)] range_of: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let scope = scope()?;
    let (from, to) = server::pages::times(&from, &to, scope.zone())?;
    server::deliveries::replay_range(&scope, endpoint.parse()?, from, to, range_of != "all").await?;
    leptos_axum::redirect(&format!("/settings/webhooks/{endpoint}"));
    Ok(())
}

/// The secret that the viewer has just made, this once.
#[server(prefix = "/rpc", endpoint = "take_webhook_secret")]
pub async fn take_webhook_secret() -> Result<Option<NewSecret>, AppError> {
    super::server::pages::take(&patchbay_access::server::visitor()?).await
}
