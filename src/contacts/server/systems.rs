//! A contact's page, with what systems of the client know about the contact.

use super::store;
use crate::{Contact, ContactSystems};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

/// Asked what other systems know about a contact of this client, for its page. Boot gives it.
pub struct SystemsOfContact(pub for<'a> fn(&'a mut ReadTx, ClientId, ContactId) -> HookFuture<'a, ContactSystems>);

/// Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: ContactId) -> Result<Contact, AppError> {
    let contact = store::get(tx, id).await?;
    if !tx.scope().may(Action::ReadIntegrations) {
        return Ok(contact);
    }
    let ask = tx.services().hooks.get::<SystemsOfContact>()?.0;
    let systems = ask(tx, contact.client_id, id).await?;
    Ok(Contact { systems, ..contact })
}
