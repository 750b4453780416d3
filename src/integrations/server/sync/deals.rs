//! Deals of a CRM: kept as facts beside the contact that they belong to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::read::{PAGE, moved, settled};
use super::{Cursor, ENDLESS, Step, Trouble, Work, fail, holds, is_endless, written};
use crate::model::{CrmConfig, IntegrationType};
use crate::server::mapping::Fields;
use crate::server::store::links::{self, NewLink};
use crate::server::store::syncs::{Entry, Sync, Tally};
use crate::server::store::{self, activities};
use patchbay_access::Action;
use patchbay_providers::crm::{Crm, CrmObject, CrmRecord};
use patchbay_shared::ids::ContactId;
use patchbay_shared::text::one_line;

/// Our name of a fact, and theirs.
fn facts_of(kind: IntegrationType) -> &'static [(&'static str, &'static str)] {
    match kind {
        IntegrationType::Zoho => {
            &[("name", "Deal_Name"), ("amount", "Amount"), ("stage", "Stage"), ("closes", "Closing_Date")]
        }
        _ => &[
            ("name", "dealname"),
            ("amount", "amount"),
            ("currency", "deal_currency_code"),
            ("stage", "dealstage"),
            ("closes", "closedate"),
        ],
    }
}

/// Of several people, `whose` is the one that is here.
fn facts(kind: IntegrationType, record: &CrmRecord, whose: Option<&str>) -> Value {
    let short = |text: &String| one_line(text).chars().take(200).collect::<String>();
    let values =
        facts_of(kind).iter().filter_map(|(ours, theirs)| Some((*ours, short(record.properties.get(*theirs)?))));
    // Whose it is by the service's id, for people who come in later.
    let contact = whose.or(record.contacts.first().map(String::as_str)).map(|id| ("contact", id.to_owned()));
    let facts: BTreeMap<&str, String> = values.chain(contact).filter(|(_, value)| !value.is_empty()).collect();
    json!(facts)
}

/// The next page of deals.
pub(super) async fn page(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let kind = work.integration.kind;
    let properties: Vec<String> = facts_of(kind).iter().map(|(_, theirs)| (*theirs).to_owned()).collect();
    let is_first = cursor.next.is_none();
    // Names of stages: nothing but words hangs on them, so trouble is no error.
    let stages = if is_first { crm.stages().await.unwrap_or_default() } else { Vec::new() };
    let since = cursor.since.map(|since| settled(since, crm));
    let page = crm.page(CrmObject::Deal, &properties, since, cursor.next.as_deref(), PAGE).await?;
    if is_endless(cursor, page.next.as_deref()) {
        fail(work, sync, ENDLESS).await?;
        return Ok(Step::NotOurs);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let integration = work.integration.id;
    if !stages.is_empty() && stages != work.config.stages {
        let held = store::lock(&mut tx, integration).await?;
        store::set_config(&mut tx, integration, &json!(CrmConfig { stages, ..held.config() })).await?;
    }
    if is_first {
        activities::attach_deals(&mut tx, integration).await?;
    }
    let newest: BTreeMap<&str, &CrmRecord> = page.records.iter().map(|record| (record.id.as_str(), record)).collect();
    let ids: Vec<String> = newest.keys().map(|id| (*id).to_owned()).collect();
    let people: Vec<String> = newest.values().flat_map(|record| record.contacts.iter().cloned()).collect();
    let known = links::of_records(tx.reading(), integration, "deal", &ids).await?;
    let people = links::of_records(tx.reading(), integration, "contact", &people).await?;
    let person_of = |record: &CrmRecord| -> Option<(&str, ContactId)> {
        let link = |id: &String| people.iter().find(|link| link.remote_id == *id);
        record
            .contacts
            .iter()
            .find_map(|id| link(id).and_then(|link| Some((link.remote_id.as_str(), link.contact_id?))))
    };
    let (mut tally, mut entries) = (Tally::default(), Vec::new());
    for (id, record) in newest {
        let person = person_of(record);
        let (facts, contact) = (facts(kind, record, person.map(|(id, _)| id)), person.map(|(_, id)| id));
        let before = known.iter().find(|link| link.remote_id == id && link.removed_at.is_none());
        if before.is_some_and(|link| link.facts == facts && link.contact_id == contact) {
            tally.skipped += 1;
            continue;
        }
        let agreed: Fields =
            facts["name"].as_str().map(|name| ("name".to_owned(), name.to_owned())).into_iter().collect();
        let link = NewLink {
            integration,
            client: work.client,
            kind: "deal",
            remote_id: id,
            contact,
            call: None,
            agreed: &agreed,
            facts: &facts,
            changed_at: record.changed_at,
        };
        links::put(&mut tx, &link).await?;
        tally.read += 1;
        entries.push(Entry {
            action: "read",
            result: "done",
            kind: "deal",
            remote_id: Some(id.to_owned()),
            contact,
            label: agreed.get("name").cloned().unwrap_or_else(|| id.to_owned()),
            message: if before.is_some() { "Changed." } else { "New here." }.to_owned(),
            call: None,
        });
    }
    let next = moved(cursor, page.next.clone());
    written(&mut tx, work, sync, &next, tally, &entries).await?;
    tx.commit().await?;
    Ok(if page.next.is_some() { Step::More } else { Step::Through })
}
