//! Two records of a CRM that are one by now.

use super::Work;
use super::read::{forbids, name_of};
use crate::server::store::links::{self, Link};
use crate::server::store::syncs::Entry;
use crate::server::store::{Integration, activities, pending};
use patchbay_access::server::WriteTx;
use patchbay_contacts::server::synced;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

/// A record lives on as another one: its contact's link moves there.
pub(super) async fn merge(
    tx: &mut WriteTx,
    work: &Work<'_>,
    old: &Link,
    into: &str,
) -> Result<Option<Entry>, AppError> {
    let integration = work.integration.id;
    let is_known = old.remote_id == into || old.facts["lives_on"].as_str() == Some(into);
    let contact: Vec<ContactId> = old.contact_id.into_iter().collect();
    if is_known || (old.removed_at.is_some() && contact.is_empty()) {
        return Ok(None);
    }
    let there = links::of_records(tx.reading(), integration, "contact", &[into.to_owned()]).await?;
    // Of a record that was gone already the contact may have another one by now.
    let has_another =
        old.removed_at.is_some() && !links::of_contacts(tx.reading(), integration, &contact).await?.is_empty();
    let message = if there.is_empty() && !has_another {
        links::move_to(tx, integration, old, into).await?;
        format!("It was merged into {into} in {}. The contact belongs to that one now.", work.system())
    } else {
        links::lives_on(tx, integration, old, into).await?;
        if let Some(there) = there.first() {
            one_says_for_both(tx, work.integration, work.client, old, there).await?;
        }
        format!(
            "It was merged into {into} in {}, which another contact here belongs to. This one stays as it is.",
            work.system()
        )
    };
    activities::carry(tx, integration, &old.remote_id, into).await?;
    Ok(Some(Entry {
        action: "merge",
        result: "done",
        kind: "contact",
        remote_id: Some(old.remote_id.clone()),
        contact: old.contact_id,
        label: old.agreed.0.get("name").cloned().unwrap_or_default(),
        message,
        call: None,
    }))
}

/// Two contacts here are one person there: who must not be called as one of them is not called as the other either.
pub(crate) async fn one_says_for_both(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
    old: &Link,
    lives_on: &Link,
) -> Result<(), AppError> {
    let ids: Vec<ContactId> = [old.contact_id, lives_on.contact_id].into_iter().flatten().collect();
    let both = synced::look(tx.reading(), client, &ids).await?;
    let told = forbids(&old.agreed.0) || forbids(&lives_on.agreed.0);
    if !told && both.iter().all(|contact| !contact.do_not_call) {
        return Ok(());
    }
    for contact in both {
        if !contact.do_not_call {
            synced::suppress(tx, contact.id, &format!("Marked so in {}", integration.kind.label())).await?;
        }
        if lives_on.contact_id == Some(contact.id) && lives_on.removed_at.is_none() && !forbids(&lives_on.agreed.0) {
            pending::want_contact(tx, integration.id, client, "flag", contact.id, &name_of(&contact)).await?;
        }
    }
    Ok(())
}
