//! New events are given to everybody who asked for them: to endpoints here, to what stands above by the hook.

use super::events::{Event, EventsOut};
use super::store::queue::{self, NewDelivery};
use super::store::{self, Listener, events};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::DeliveryId;

/// Events in a transaction.
const AT_ONCE: i64 = 200;

/// Gives out all new events, in the order in which they happened.
pub(super) async fn give_out(scope: &Scope) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(Action::ManageWebhooks).await?;
        let events = events::take_new(&mut tx, AT_ONCE).await?;
        if events.is_empty() {
            return Ok(());
        }
        give(&mut tx, &events).await?;
        let out = tx.services().hooks.get::<EventsOut>()?.0;
        out(&mut tx, &events).await?;
        tx.commit().await?;
    }
}

async fn give(tx: &mut WriteTx, events: &[Event]) -> Result<(), AppError> {
    let listeners = store::listeners(tx).await?;
    let mut new = Vec::new();
    for event in events {
        for listener in listeners.iter().filter(|listener| listener.asked_for(event)) {
            new.push(NewDelivery {
                id: DeliveryId::new(),
                endpoint: listener.id,
                event: event.id,
                client: event.client_id,
                kind: event.kind.as_str(),
                occurred_at: event.occurred_at,
                is_held: !listener.is_on,
            });
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    queue::insert(tx, &new).await?;
    for listener in listeners.iter().filter(|listener| new.iter().any(|one| one.endpoint == listener.id)) {
        tx.notify(Topic::one("webhook_endpoint", listener.id), None);
    }
    tx.notify(Topic::list("webhook_endpoints"), None);
    Ok(())
}

impl Listener {
    /// An endpoint of a client is told of that client alone. One of all clients is told of everything, and of the agency itself.
    fn asked_for(&self, event: &Event) -> bool {
        let is_its = self.client_id.is_none() || self.client_id == event.client_id;
        is_its && self.events.iter().any(|word| word == event.kind.as_str())
    }
}
