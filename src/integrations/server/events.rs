//! What happened here and is to be told to CRMs. Nothing is sent: it is written down in the transaction that gives events out.

use std::collections::HashMap;

use super::mapping::Rules;
use super::ops;
use super::store::{self, Integration, links, pending};
use super::sync::read::name_of;
use crate::model::{CrmConfig, SyncType};
use patchbay_access::server::WriteTx;
use patchbay_contacts::server::synced;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId, IntegrationId};
use patchbay_webhooks::model::EventType;
use patchbay_webhooks::server::Event;

/// A call is told once a model has read it, or after so long.
const READING: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// Writes down what these events mean for the systems of their clients.
pub async fn events_out(tx: &mut WriteTx, events: &[Event]) -> Result<(), AppError> {
    let mut by_client: HashMap<ClientId, Vec<&Event>> = HashMap::new();
    for event in events {
        if let Some(client) = event.client_id {
            by_client.entry(client).or_default().push(event);
        }
    }
    let mut clients: Vec<_> = by_client.into_iter().collect();
    clients.sort_by_key(|(client, _)| client.0);
    for (client, events) in clients {
        for (id, client) in store::crms(tx.reading(), Some(client)).await? {
            for_crm(tx, id, client, &events).await?;
        }
    }
    super::messages::events_out(tx, events).await
}

async fn for_crm(tx: &mut WriteTx, id: IntegrationId, client: ClientId, events: &[&Event]) -> Result<(), AppError> {
    let integration = store::get(tx.reading(), id).await?;
    let config = integration.config::<CrmConfig>();
    let now = tx.reading().now().await?;
    let mut soon = None;
    for event in events {
        let at = match event.kind {
            EventType::CallCompleted | EventType::CallFailed | EventType::AnalysisCompleted
                if config.settings.types.contains(&SyncType::Activities) =>
            {
                let at = if event.kind == EventType::CallCompleted { now + READING } else { now };
                let call = CallId(event.subject_id);
                pending::want_call(tx, id, client, call, None, &label(event), at).await?;
                Some(at)
            }
            EventType::ContactSuppressed | EventType::ContactChanged => {
                let is_flag = event.kind == EventType::ContactSuppressed;
                let contact = ContactId(event.subject_id);
                wants(tx, &integration, client, contact, is_flag).await?.then_some(now)
            }
            _ => None,
        };
        soon = [soon, at].into_iter().flatten().min();
    }
    if let (Some(at), true, true) = (soon, config.settings.every_minutes > 0, integration.last_sync_at.is_some()) {
        ops::want_sync(tx, &integration, Some(at)).await?;
    }
    Ok(())
}

/// Whether there is something to write: the contact has a record there, which says something else. What came from there is the same on
/// both sides, so it is never sent back.
async fn wants(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
    contact: ContactId,
    is_flag: bool,
) -> Result<bool, AppError> {
    let Some(link) = links::of_contacts(tx.reading(), integration.id, &[contact]).await?.into_iter().next() else {
        return Ok(false);
    };
    let Some(found) = synced::look(tx.reading(), client, &[contact]).await?.pop() else { return Ok(false) };
    let lines = integration.mapping();
    let rules = Rules { lines: &lines, country: None, system: integration.kind.label() };
    let told = link.agreed.0.get("do_not_call").is_some_and(|value| !value.is_empty());
    let (kind, is_wanted) = match is_flag {
        true => ("flag", found.do_not_call && !told),
        false => ("contact", !rules.to_write(&found, &link.agreed.0).is_empty()),
    };
    if is_wanted {
        pending::want_contact(tx, integration.id, client, kind, contact, &name_of(&found)).await?;
    }
    Ok(is_wanted)
}

/// Whom the call was with, as far as the event says it.
fn label(event: &Event) -> String {
    let body: serde_json::Value = serde_json::from_str(&event.body).unwrap_or_default();
    let data = &body["data"];
    let names = [&data["contact"], &data["contact_name"], &data["to"], &data["from"]];
    let name = names.into_iter().filter_map(|value| value.as_str()).find(|text| !text.is_empty()).unwrap_or_default();
    name.chars().take(120).collect()
}
