//! What people do with endpoints: make and change them, switch them, give them another secret, try them, remove them.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use super::attempt::{REMOVED, STEP, notify};
use super::events::{NewEvent, frozen};
use super::jobs::Replay;
use super::store::queue::{self, NewDelivery};
use super::store::{self, Endpoint, events};
use super::{deliveries, listeners, secrets};
use crate::model::{EndpointFields, EndpointStatus, EventType, LONGEST_OVERLAP, NewSecret, Subject};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_providers::Secret;
use patchbay_providers::outside::refused_at_sight;
use patchbay_shared::ids::{ClientId, DeliveryId, WebhookEndpointId};
use patchbay_shared::{AppError, Reason};

/// So many endpoints an agency has at most.
const MOST: i64 = 50;
/// Minutes in which no other secret is made: each one ends the one before the present one.
const REST: i64 = 5;

/// Makes an endpoint, whose secret is shown once. Errors: `Invalid` at `url` or `client`, `Conflict` when there are too many.
pub async fn create(scope: &Scope, fields: &EndpointFields) -> Result<NewSecret, AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    check(&mut tx, fields, None).await?;
    if store::count(tx.reading()).await? >= MOST {
        let why = format!("An agency has at most {MOST} endpoints. Remove one first.");
        return Err(AppError::Conflict(Reason::LimitReached, why));
    }
    let (id, secret) = (WebhookEndpointId::new(), secrets::new_secret());
    store::insert(&mut tx, id, fields, &secrets::seal(scope, id, &secret)?).await?;
    listeners::refresh(&mut tx).await?;
    record(&mut tx, "created", id, Fields::Created(told(fields))).await?;
    notify(&mut tx, id);
    tx.commit().await?;
    Ok(shown(id, &fields.name, &fields.url, &secret))
}

/// Changes an endpoint, which keeps its client. What waits goes to the new address. Errors: as `create`; `NotFound`.
pub async fn save(scope: &Scope, id: WebhookEndpointId, fields: &EndpointFields) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let before = store::lock(&mut tx, id).await?;
    if fields.client_id != before.client_id {
        // What waits, and what can be replayed, is the former client's.
        return Err(AppError::invalid("client", "An endpoint keeps its client. Make another one for another client."));
    }
    check(&mut tx, fields, before.client_id).await?;
    store::update(&mut tx, id, fields).await?;
    let known = before.events.iter().filter_map(|word| word.parse().ok()).collect();
    let was = EndpointFields { name: before.name, client_id: before.client_id, url: before.url, events: known };
    let mut sides = (told(&was), told(fields));
    if was.url != fields.url && sides.0["address"] == sides.1["address"] {
        // What differs is not for the log.
        sides.1["address"] = json!(format!("{} (changed)", address(&fields.url)));
    }
    let sides = Fields::Changed { before: sides.0, after: sides.1 };
    record(&mut tx, "changed", id, sides).await?;
    notify(&mut tx, id);
    tx.commit().await
}

/// Pauses an endpoint: what waits is kept, and so is what happens meanwhile. Errors: `NotFound`.
pub async fn pause(scope: &Scope, id: WebhookEndpointId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let endpoint = store::lock(&mut tx, id).await?;
    if endpoint.status != EndpointStatus::Active {
        return Ok(());
    }
    store::switch_off(&mut tx, id, EndpointStatus::Inactive, None).await?;
    queue::stop(&mut tx, id, None, STEP).await?;
    record_status(&mut tx, "paused", id, &endpoint, EndpointStatus::Inactive).await?;
    notify(&mut tx, id);
    tx.commit().await
}

/// Switches an endpoint on again. `replay`: what was kept is sent, too. Errors: `NotFound`.
pub async fn resume(scope: &Scope, id: WebhookEndpointId, replay: bool) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let endpoint = store::lock(&mut tx, id).await?;
    if endpoint.status == EndpointStatus::Active {
        return Ok(());
    }
    if !replay {
        // What still waits from before stays where it is, too.
        while queue::stop(&mut tx, id, None, STEP).await? as i64 == STEP {}
    }
    store::switch_on(&mut tx, id).await?;
    record_status(&mut tx, "resumed", id, &endpoint, EndpointStatus::Active).await?;
    if replay {
        deliveries::start(&mut tx, id, Replay::Held).await?;
    }
    notify(&mut tx, id);
    tx.wake(super::sending::CHANNEL);
    tx.commit().await
}

/// Makes another secret, which is shown once. The one before signs, too, for so many hours. Errors: `Invalid` at `hours`, `NotFound`,
/// `Conflict` when one was made a moment ago.
pub async fn rotate_secret(scope: &Scope, id: WebhookEndpointId, hours: i32) -> Result<NewSecret, AppError> {
    if !(1..=LONGEST_OVERLAP).contains(&hours) {
        return Err(AppError::invalid("hours", "Choose between 1 hour and 7 days."));
    }
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let endpoint = store::lock(&mut tx, id).await?;
    let now = tx.reading().now().await?;
    if endpoint.old_until.is_some() && endpoint.secret_at > now - TimeDelta::minutes(REST) {
        let why = "A secret was made a moment ago. Use that one, or wait five minutes.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    let secret = secrets::new_secret();
    let until = store::replace_secret(&mut tx, id, &secrets::seal(scope, id, &secret)?, hours).await?;
    let side = |until| json!({"name": endpoint.name, "former_secret_until": until});
    let sides = Fields::Changed { before: side(endpoint.old_until), after: side(Some(until)) };
    record(&mut tx, "rotated", id, sides).await?;
    notify(&mut tx, id);
    tx.commit().await?;
    Ok(shown(id, &endpoint.name, &endpoint.url, &secret))
}

/// The secret before the present one signs no more. Errors: `NotFound`.
pub async fn drop_old_secret(scope: &Scope, id: WebhookEndpointId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let endpoint = store::lock(&mut tx, id).await?;
    if endpoint.old_until.is_none() {
        return Ok(());
    }
    store::drop_old_secret(&mut tx, id).await?;
    let before = json!({"name": endpoint.name, "former_secret_until": endpoint.old_until});
    let after = json!({"name": endpoint.name, "former_secret_until": null});
    let sides = Fields::Changed { before, after };
    record(&mut tx, "ended the former secret of", id, sides).await?;
    notify(&mut tx, id);
    tx.commit().await
}

/// Removes an endpoint: nothing is sent to it any more. What was sent stays in the log until it is old. Errors: `NotFound`.
pub async fn remove(scope: &Scope, id: WebhookEndpointId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let before = store::lock(&mut tx, id).await?;
    store::remove(&mut tx, id).await?;
    queue::stop(&mut tx, id, Some(REMOVED), STEP).await?;
    listeners::refresh(&mut tx).await?;
    let fields = json!({"name": before.name, "address": address(&before.url), "events": before.events});
    record(&mut tx, "removed", id, Fields::Deleted(fields)).await?;
    notify(&mut tx, id);
    tx.commit().await
}

/// Sends a test, also to an endpoint that is off. Errors: `NotFound`, `Conflict` when the client is archived.
pub async fn send_test(scope: &Scope, id: WebhookEndpointId) -> Result<DeliveryId, AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let endpoint = store::lock(&mut tx, id).await?;
    if let Some(client) = endpoint.client_id
        && !store::is_client_active(tx.reading(), client).await?
    {
        let why = "The endpoint’s client is archived, so nothing is sent to it.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    let said = "This is a test of the endpoint. Nothing has happened.";
    let new = NewEvent {
        kind: EventType::Test,
        client_id: endpoint.client_id,
        subject: Subject::Test,
        subject_id: id.0,
        data: json!({"endpoint_id": id, "endpoint": endpoint.name, "message": said}),
    };
    let event = frozen(new, None, Utc::now());
    events::insert_given(&mut tx, &event).await?;
    let delivery = NewDelivery {
        id: DeliveryId::new(),
        endpoint: id,
        event: event.id,
        client: event.client_id,
        kind: event.kind.as_str(),
        occurred_at: event.occurred_at,
        is_held: false,
    };
    queue::insert(&mut tx, std::slice::from_ref(&delivery)).await?;
    record(&mut tx, "tested", id, Fields::Happened(json!({"name": endpoint.name}))).await?;
    notify(&mut tx, id);
    tx.commit().await?;
    Ok(delivery.id)
}

/// What only the server can say of the fields. `was`: the client that it has had, which may be archived meanwhile.
async fn check(tx: &mut WriteTx, fields: &EndpointFields, was: Option<ClientId>) -> Result<(), AppError> {
    let own = tx.services().sandbox.as_ref().map(|sandbox| sandbox.receiver.clone());
    if let Some(why) = refused_at_sight(&fields.url, own.as_deref()) {
        return Err(AppError::invalid("url", format!("This address cannot be used: {why}.")));
    }
    if let Some(client) = fields.client_id.filter(|client| was != Some(*client)) {
        const CHOOSE: &str = "Choose one of the clients, or all of them.";
        let is_active = store::is_client_active(tx.reading(), client).await;
        if !is_active.map_err(|error| error.at_choice("client", CHOOSE))? {
            return Err(AppError::invalid("client", "This client is archived. Choose another one."));
        }
    }
    Ok(())
}

/// Scheme and host of an address. What follows is a secret at many receivers.
fn address(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '\\', '?', '#']).map_or(url.len(), |at| begin + at);
    &url[..end]
}

/// What the audit log has of an endpoint. Never its secret.
fn told(fields: &EndpointFields) -> Value {
    json!({"name": fields.name, "client": fields.client_id, "address": address(&fields.url), "events": store::words(fields)})
}

fn shown(id: WebhookEndpointId, name: &str, url: &str, secret: &Secret<String>) -> NewSecret {
    let (name, url, secret) = (name.to_owned(), url.to_owned(), secret.expose().clone());
    NewSecret { endpoint: id.to_string(), name, url, secret }
}

async fn record_status(
    tx: &mut WriteTx,
    action: &str,
    id: WebhookEndpointId,
    endpoint: &Endpoint,
    now: EndpointStatus,
) -> Result<(), AppError> {
    let side = |status| json!({"name": endpoint.name, "status": status});
    let sides = Fields::Changed { before: side(endpoint.status), after: side(now) };
    record(tx, action, id, sides).await
}

/// Writes it into the agency's log: a client's people know nothing of endpoints.
pub(super) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: WebhookEndpointId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "webhook_endpoint", entity_id: Some(id.0), client_id: None, fields }).await
}
