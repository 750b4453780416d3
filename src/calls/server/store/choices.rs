//! What the list's filters offer.

use uuid::Uuid;

use super::client_of;
use crate::model::{CallChoices, CallQuery};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;

/// What the filters offer, and the names of what the address narrows to.
pub(crate) async fn choices(tx: &mut ReadTx, query: &CallQuery) -> Result<CallChoices, AppError> {
    let client = client_of(tx, query)?;
    let agents = sqlx::query!(
        "select id, name from agents a where workspace_id = $1
           and ($2::uuid is null or client_id is null or client_id = $2) order by name, id limit 300",
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    let campaigns = sqlx::query!(
        "select id, name from campaigns where workspace_id = $1 and ($2::uuid is null or client_id = $2) order by id desc limit 300",
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    let mut narrowed = Vec::new();
    if let Some(batch) = query.batch.as_deref().and_then(|id| id.parse::<Uuid>().ok()) {
        let name = sqlx::query_scalar!(
            "select name from call_batches where workspace_id = $1 and id = $2",
            tx.workspace_uuid(),
            batch
        )
        .fetch_optional(tx.conn())
        .await?;
        narrowed.extend(name.map(|name| ("batch".to_owned(), name)));
    }
    if let Some(contact) = query.contact.as_deref().and_then(|id| id.parse::<Uuid>().ok()) {
        let name = sqlx::query!(
            "select name, phone from contacts where workspace_id = $1 and id = $2",
            tx.workspace_uuid(),
            contact
        )
        .fetch_optional(tx.conn())
        .await?;
        narrowed.extend(name.map(|row| ("contact".to_owned(), if row.name.is_empty() { row.phone } else { row.name })));
    }
    if let Some(prompt) = query.prompt.as_deref().and_then(|id| id.parse::<Uuid>().ok()) {
        // Row security hides prompts from a client's people, for whom the filter does nothing.
        let name = sqlx::query_scalar!(
            "select name from prompts where workspace_id = $1 and id = $2",
            tx.workspace_uuid(),
            prompt
        )
        .fetch_optional(tx.conn())
        .await?;
        let version = query.version.as_deref().map(|version| format!(" v{version}")).unwrap_or_default();
        narrowed.extend(name.map(|name| ("prompt".to_owned(), format!("{name}{version}"))));
    }
    narrowed.extend(query.zone.clone().map(|zone| ("zone".to_owned(), zone_text(&zone))));
    Ok(CallChoices {
        agents: agents.into_iter().map(|row| (row.id.to_string(), row.name)).collect(),
        campaigns: campaigns.into_iter().map(|row| (row.id.to_string(), row.name)).collect(),
        narrowed,
    })
}

fn zone_text(zone: &str) -> String {
    if zone == CallQuery::OWN_ZONE { "each client’s zone".to_owned() } else { zone.replace('_', " ") }
}
