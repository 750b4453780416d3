//! What other systems are told of contacts: that one is new or changed, and that one must not be called any more. Asked for once per
//! transaction where there are many, and nothing is looked up where nobody listens.

use serde_json::json;
use uuid::Uuid;

use super::store::told as store;
use patchbay_access::server::{Fields, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::ContactId;
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit, listeners};

/// Contacts in an event's statement.
const AT_ONCE: usize = 500;

/// These contacts are new, or what is known of them has changed.
pub async fn changed(tx: &mut WriteTx, ids: &[ContactId]) -> Result<(), AppError> {
    tell(tx, ids, EventType::ContactChanged).await
}

/// These contacts must not be called any more.
pub(crate) async fn suppressed(tx: &mut WriteTx, ids: &[ContactId]) -> Result<(), AppError> {
    tell(tx, ids, EventType::ContactSuppressed).await
}

/// What the audit log is about to be told of one contact, after it was written.
pub(super) async fn recorded(tx: &mut WriteTx, action: &str, id: ContactId, fields: &Fields) -> Result<(), AppError> {
    match fields {
        Fields::Changed { before, after } if before == after => Ok(()),
        _ if action == "suppressed" => suppressed(tx, &[id]).await,
        _ => changed(tx, &[id]).await,
    }
}

async fn tell(tx: &mut WriteTx, ids: &[ContactId], kind: EventType) -> Result<(), AppError> {
    if ids.is_empty() || !listeners::any(tx.reading()).await? {
        return Ok(());
    }
    let url = tx.services().public_url.clone();
    for some in ids.chunks(AT_ONCE) {
        let some: Vec<Uuid> = some.iter().map(|id| id.0).collect();
        let events = store::contacts(tx, &some).await?.into_iter().map(|contact| NewEvent {
            kind,
            client_id: Some(contact.client_id),
            subject: Subject::Contact,
            subject_id: contact.id.0,
            data: json!({
                "contact_id": contact.id,
                "client_id": contact.client_id,
                "name": contact.name,
                "phone": contact.phone,
                "email": contact.email,
                "company": contact.company,
                "timezone": contact.timezone,
                "details": contact.attributes.0,
                "do_not_call": contact.do_not_call,
                "do_not_call_reason": contact.do_not_call_reason,
                "url": format!("{url}/contacts/{}", contact.id),
            }),
        });
        let events: Vec<NewEvent> = events.collect();
        emit(tx, events).await?;
    }
    Ok(())
}
