//! Which model each kind of work uses.

use std::str::FromStr;

use uuid::Uuid;

use crate::model::Purpose;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ConnectionId};

/// Agents in a picker.
const MOST_AGENTS: i64 = 500;

/// A choice as it is kept.
pub(crate) struct Kept {
    pub id: Uuid,
    pub purpose: Purpose,
    pub agent: Option<AgentId>,
    pub account: ConnectionId,
    pub model: String,
}

/// All choices of the workspace: five, and those of agents.
pub(crate) async fn all(tx: &mut ReadTx) -> Result<Vec<Kept>, AppError> {
    let rows = sqlx::query!(
        r#"select id, purpose, agent_id as "agent_id: AgentId", connection_id as "connection_id: ConnectionId", model
           from model_choices where workspace_id = $1"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    let kept = rows.into_iter().filter_map(|row| {
        // A purpose of a newer version than this program is none here.
        let purpose = Purpose::from_str(&row.purpose).ok()?;
        Some(Kept { id: row.id, purpose, agent: row.agent_id, account: row.connection_id, model: row.model })
    });
    Ok(kept.collect())
}

/// Makes or replaces a choice.
pub(crate) async fn save(
    tx: &mut WriteTx,
    purpose: Purpose,
    agent: Option<AgentId>,
    account: ConnectionId,
    model: &str,
) -> Result<Option<Uuid>, AppError> {
    let workspace = tx.workspace_uuid();
    let id = match agent {
        None => {
            sqlx::query_scalar!(
                "insert into model_choices (workspace_id, id, purpose, connection_id, model) values ($1, $2, $3, $4, $5)
                 on conflict (workspace_id, purpose) where agent_id is null
                 do update set connection_id = excluded.connection_id, model = excluded.model, updated_at = now() returning id",
                workspace,
                Uuid::now_v7(),
                purpose.as_str(),
                account.0,
                model
            )
            .fetch_one(tx.conn())
            .await?
        }
        Some(agent) => {
            sqlx::query_scalar!(
                "insert into model_choices (workspace_id, id, purpose, agent_id, connection_id, model) values ($1, $2, 'agent', $3, $4, $5)
                 on conflict (workspace_id, agent_id) where agent_id is not null
                 do update set connection_id = excluded.connection_id, model = excluded.model, updated_at = now() returning id",
                workspace,
                Uuid::now_v7(),
                agent.0,
                account.0,
                model
            )
            .fetch_one(tx.conn())
            .await?
        }
    };
    Ok(Some(id))
}

/// Takes a choice back. None: there was none.
pub(crate) async fn remove(
    tx: &mut WriteTx,
    purpose: Purpose,
    agent: Option<AgentId>,
) -> Result<Option<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "delete from model_choices where workspace_id = $1 and purpose = $2 and agent_id is not distinct from $3 returning id",
        tx.workspace_uuid(),
        purpose.as_str(),
        agent.map(|agent| agent.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether there is such an agent (a table of others).
pub(crate) async fn has_agent(tx: &mut ReadTx, agent: AgentId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from agents where workspace_id = $1 and id = $2) as "there!""#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Agents by name, for a picker (a table of others).
pub(crate) async fn agents(tx: &mut ReadTx) -> Result<Vec<(AgentId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: AgentId", name from agents where workspace_id = $1 and is_active order by name, id limit $2"#,
        tx.workspace_uuid(),
        MOST_AGENTS
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The names of agents that have a choice of their own, active or not (a table of others).
pub(crate) async fn names_of_own(tx: &mut ReadTx) -> Result<Vec<(AgentId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AgentId", a.name from agents a join model_choices c on c.workspace_id = $1 and c.agent_id = a.id
           where a.workspace_id = $1 order by a.name, a.id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
