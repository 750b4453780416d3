//! Statements about what the forms of a team choose from: names of what other crates own.

use uuid::Uuid;

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, TeamId};

type Pairs = Vec<(String, String)>;

/// Clients that are not archived, and the one that is chosen.
pub(crate) async fn clients(tx: &mut ReadTx, chosen: Option<ClientId>) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name from clients where workspace_id = $1 and (status <> 'archived' or id = $2) order by name, id limit 1000",
        tx.workspace_uuid(),
        chosen.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// Agents that may be added to a team: those of its client and those of no client, that are not in it.
pub(crate) async fn agents(tx: &mut ReadTx, team: TeamId, client: Option<ClientId>) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select a.id, a.name from agents a
         where a.workspace_id = $1 and a.deleted_at is null and a.is_active
           and (a.client_id is null or a.client_id = $3)
           and not exists (select from team_agents m where m.workspace_id = $1 and m.team_id = $2 and m.agent_id = a.id and m.is_active)
         order by a.name, a.id limit 500",
        tx.workspace_uuid(),
        team.0,
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// Engines of models in use, and the one that is chosen.
pub(crate) async fn engines(tx: &mut ReadTx, chosen: Option<Uuid>) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from execution_engines where workspace_id = $1 and type = 'model' and (is_active or id = $2)
         order by name, id limit 200",
        tx.workspace_uuid(),
        chosen
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), marked(row.name, row.is_active))).collect())
}

/// Targets in use, and the one that is chosen.
pub(crate) async fn targets(tx: &mut ReadTx, chosen: Option<Uuid>) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from execution_targets where workspace_id = $1 and (is_active or id = $2) order by name, id limit 200",
        tx.workspace_uuid(),
        chosen
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), marked(row.name, row.is_active))).collect())
}

/// Collections of the team's client and of the whole agency.
pub(crate) async fn collections(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name from knowledge_collections
         where workspace_id = $1 and deleted_at is null and (client_id is null or client_id = $2) order by name, id limit 500",
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

pub(crate) async fn skills(tx: &mut ReadTx) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from skills where workspace_id = $1 order by name, id limit 500",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), marked(row.name, row.is_active))).collect())
}

/// Names of the tools that the members have.
pub(crate) async fn tools(tx: &mut ReadTx, team: TeamId) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select distinct t.tool_name from agent_tools t
         join team_agents m on m.workspace_id = $1 and m.agent_id = t.agent_id and m.team_id = $2 and m.is_active
         where t.workspace_id = $1 and t.is_active and t.removed_at is null order by 1 limit 200",
        tx.workspace_uuid(),
        team.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Names of what a version names by id.
pub(crate) async fn names(tx: &mut ReadTx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id!", name as "name!" from agents where workspace_id = $1 and id = any($2)
           union all select id, name from knowledge_collections where workspace_id = $1 and id = any($2)
           union all select id, name from skills where workspace_id = $1 and id = any($2)
           union all select id, name from execution_engines where workspace_id = $1 and id = any($2)
           union all select id, name from execution_targets where workspace_id = $1 and id = any($2)"#,
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Teams for the filter of runs.
pub(crate) async fn teams(tx: &mut ReadTx) -> Result<Pairs, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from teams where workspace_id = $1 order by is_active desc, name, id limit 500",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), marked(row.name, row.is_active))).collect())
}

/// Names of engines that runs were worked on with.
pub(crate) async fn engine_names(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select distinct name from execution_engines where workspace_id = $1 and type = 'model' order by 1 limit 200",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

fn marked(name: String, is_active: bool) -> String {
    if is_active { name } else { format!("{name} (deactivated)") }
}
