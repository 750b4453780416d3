//! What others' tables say about a prompt's use, read for display only: the agents that say it, the campaigns that these call for, and the
//! names that contacts have values for.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::model::{CampaignNames, CampaignUse, PromptUser};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CampaignId, PromptId};

/// The agents that use a prompt.
pub(crate) async fn users(tx: &mut ReadTx, id: PromptId) -> Result<Vec<PromptUser>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        r#"select id, name, status = 'active' as "is_live!" from agents
           where workspace_id = $1 and prompt_service_id = $2 and is_active order by name, id limit 100"#,
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| PromptUser { id: AgentId(row.id), name: row.name, is_live: row.is_live }).collect())
}

/// The newest campaigns in which agents say a prompt, with the names that they give values for.
pub(crate) async fn campaigns(tx: &mut ReadTx, id: PromptId) -> Result<Vec<CampaignNames>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        r#"select c.id, c.name, array(select jsonb_object_keys(c.variables)) as "names!"
           from campaigns c join agents a on a.workspace_id = $1 and a.id = c.agent_id
           where c.workspace_id = $1 and a.prompt_service_id = $2 and a.is_active and c.status <> 'archived'
           order by c.id desc limit 50"#,
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CampaignNames {
            campaign: CampaignUse { id: CampaignId(row.id), name: row.name },
            names: row.names.into_iter().collect(),
        })
        .collect())
}

/// Names of the fields of the newest contacts of the clients for whom agents say a prompt; of all clients while none says it.
pub(crate) async fn contact_fields(tx: &mut ReadTx, id: PromptId) -> Result<BTreeSet<String>, AppError> {
    let workspace = tx.workspace_uuid();
    let clients = sqlx::query_scalar!(
        "select distinct client_id from agents where workspace_id = $1 and prompt_service_id = $2 and is_active",
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    // An agent of the whole agency works for every client.
    let clients: Option<Vec<Uuid>> =
        clients.into_iter().collect::<Option<_>>().filter(|all: &Vec<Uuid>| !all.is_empty());
    tx.read_in_order().await?;
    let names = sqlx::query_scalar!(
        r#"select distinct jsonb_object_keys(c.attributes) as "key!" from (
             select attributes from contacts where workspace_id = $1 and ($2::uuid[] is null or client_id = any($2))
             order by id desc limit 500) c limit 500"#,
        workspace,
        clients.as_deref()
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    Ok(names.into_iter().collect())
}
