//! Statements about tools that are given from one agent to another.

use sqlx::types::Json;
use uuid::Uuid;

use super::Stored;
use crate::model::ToolConfig;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentToolId, ClientId};

/// A tool with whose it is, whatever has become of it.
pub(crate) struct Owned {
    pub stored: Stored,
    pub is_removed: bool,
    pub agent_is_deleted: bool,
    /// The client that its agent works for. None: all of them.
    pub client: Option<(ClientId, String)>,
}

/// These tools, in the order of their agents (the tables of agents and clients: read for whose they are).
pub(crate) async fn by_ids(tx: &mut ReadTx, ids: &[AgentToolId]) -> Result<Vec<Owned>, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select t.id, t.agent_id, t.tool_name, t.description, t.tool_config as "tool_config: Json<ToolConfig>", t.sealed_secrets, t.position,
                  t.is_active, t.offer_differs, t.removed_at is not null as "is_removed!", a.deleted_at is not null as "agent_is_deleted!",
                  a.client_id, c.name as "client?"
           from agent_tools t
           join agents a on a.workspace_id = $1 and a.id = t.agent_id
           left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where t.workspace_id = $1 and t.id = any($2) order by t.position, t.id"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    let owned = rows.into_iter().map(|row| Owned {
        is_removed: row.is_removed,
        agent_is_deleted: row.agent_is_deleted,
        client: row.client_id.map(ClientId).zip(row.client),
        stored: Stored {
            id: AgentToolId(row.id),
            agent_id: AgentId(row.agent_id),
            name: row.tool_name,
            description: row.description,
            config: row.tool_config.0,
            sealed: row.sealed_secrets,
            position: row.position,
            is_active: row.is_active,
            offer_differs: row.offer_differs,
        },
    });
    Ok(owned.collect())
}
