//! Somebody has told us to stop, by number: by text message, or at the carrier.

use std::collections::BTreeMap;

use serde_json::json;

use super::ops::{record, suppress};
use super::store::{self, Values, callers};
use patchbay_access::server::{Fields, WriteTx};
use patchbay_shared::ids::{ClientId, ContactId};
use patchbay_shared::{AppError, Phone};

/// Puts the client's contact with this number on the do-not-call list. Nobody has the number yet: a contact is made for it, so that a list
/// that is imported later does not call it.
pub async fn stop_contact(
    tx: &mut WriteTx,
    client: ClientId,
    number: &str,
    reason: &str,
) -> Result<ContactId, AppError> {
    if let Some(known) = callers::caller(tx.reading(), client, number).await? {
        suppress(tx, known.id, reason).await?;
        return Ok(known.id);
    }
    let phone = Phone::from_e164(number).ok_or(AppError::NotFound)?;
    let id = ContactId::new();
    let none = BTreeMap::new();
    let values = Values { name: "", phone: &phone, email: None, company: None, timezone: None, attributes: &none };
    store::insert(tx, id, client, &values).await?;
    let after = json!({"name": "", "phone": number, "because": reason});
    record(tx, "created", id, client, Fields::Created(after)).await?;
    suppress(tx, id, reason).await?;
    Ok(id)
}
