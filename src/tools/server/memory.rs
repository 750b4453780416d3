//! What agents keep in mind about a contact: written on a call, read in later ones, shown on the contact's page.

use serde_json::json;

use super::store::memories::{self, NewMemory};
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, ClientId, ContactId, ContactMemoryId};

pub use memories::{Memory, list as of_contact};

/// The most notes about one contact; the oldest go.
const MOST: i64 = 100;

/// Writes a note down. The same words are not kept twice.
pub(crate) async fn keep(
    tx: &mut WriteTx,
    client: ClientId,
    contact: ContactId,
    agent: AgentId,
    call: Option<CallId>,
    note: &str,
) -> Result<(), AppError> {
    let id = ContactMemoryId::new();
    if memories::insert(tx, &NewMemory { id, client, contact, agent, call, note }, MOST).await? {
        let fields = Fields::Created(json!({ "contact": contact, "note": note }));
        tx.audit(Change {
            action: "written",
            entity: "memory",
            entity_id: Some(id.0),
            client_id: Some(client),
            fields,
        })
        .await?;
        tx.notify(Topic::one("contact", contact), Some(client));
    }
    Ok(())
}

/// Forgets one note. Errors: `NotFound`.
pub(crate) async fn forget(tx: &mut WriteTx, contact: ContactId, id: ContactMemoryId) -> Result<(), AppError> {
    let (note, client) = memories::remove(tx, contact, id).await?;
    let fields = Fields::Deleted(json!({ "contact": contact, "note": note }));
    tx.audit(Change { action: "forgotten", entity: "memory", entity_id: Some(id.0), client_id: Some(client), fields })
        .await?;
    tx.notify(Topic::one("contact", contact), Some(client));
    Ok(())
}
