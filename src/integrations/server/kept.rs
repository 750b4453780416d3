//! What pages show of a CRM's deals and activities, and a contact's page of all of it.

use super::store::views::{self, kept, lists};
use crate::model::{ActivitiesPage, ActivityQuery, BelowQuery, DealsPage};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_contacts::ContactSystems;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId};

/// Activities on a contact's own page.
const FEW: usize = 6;

/// What the contact's page asks for.
pub async fn of_contact(tx: &mut ReadTx, client: ClientId, contact: ContactId) -> Result<ContactSystems, AppError> {
    let systems = kept::systems(tx, client, contact).await?;
    if systems.is_empty() {
        return Ok(ContactSystems::default());
    }
    let (deals, has_more_deals) = kept::deals_of(tx, contact).await?;
    let page = kept::activities_of(tx, contact, &ActivityQuery::default(), FEW).await?;
    Ok(ContactSystems { systems, deals, has_more_deals, has_more: page.older.is_some(), activities: page.rows })
}

/// All activities of a contact. Errors: `NotFound`.
pub(crate) async fn activities(
    scope: &Scope,
    contact: ContactId,
    query: &ActivityQuery,
) -> Result<ActivitiesPage, AppError> {
    scope.read(Action::ReadContacts).await?;
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let name = kept::contact_name(&mut tx, contact).await?;
    let page = kept::activities_of(&mut tx, contact, query, lists::ROWS).await?;
    Ok(ActivitiesPage { contact, name, page })
}

/// Deals of an integration. Errors: `NotFound`, for one that is no CRM, too.
pub(crate) async fn deals(scope: &Scope, id: IntegrationId, query: &BelowQuery) -> Result<DealsPage, AppError> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let shown = views::shown(&mut tx, id).await?;
    if !shown.head.kind.is_crm() {
        return Err(AppError::NotFound);
    }
    let page = kept::deals(&mut tx, id, query, lists::ROWS).await?;
    Ok(DealsPage { stages: shown.crm().stages, head: shown.head, page })
}
