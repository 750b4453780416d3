//! What other systems are told of calls.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::CallDirection;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

/// A call as it stands, with what a model read in it.
pub(crate) struct Call {
    pub id: CallId,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<Uuid>,
    pub agent: Option<String>,
    pub contact_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub batch_id: Option<Uuid>,
    pub direction: CallDirection,
    pub from: Option<String>,
    pub to: Option<String>,
    pub outcome: Option<String>,
    pub started_at: DateTime<Utc>,
    pub joined_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub seconds: Option<i32>,
    pub is_test: bool,
    pub summary: Option<String>,
    pub goal_reached: Option<bool>,
    pub sentiment: Option<String>,
    pub result: Option<Value>,
}

/// These calls. Those of the past, which an import brought, are left out: what they were is no news.
pub(crate) async fn calls(tx: &mut WriteTx, ids: &[Uuid]) -> Result<Vec<Call>, AppError> {
    Ok(sqlx::query_as!(
        Call,
        r#"select c.id as "id: CallId", c.client_id as "client_id: ClientId", c.agent_id, a.name as "agent?", c.contact_id, c.campaign_id,
                  c.batch_id, c.direction as "direction: CallDirection", c."from", c."to", c.outcome::text as outcome, c.started_at,
                  c.joined_at, c.ended_at, c.duration as seconds, c.is_test, c.summary, c.goal_reached, c.sentiment, n.result as "result?"
           from calls c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join call_analyses n on n.workspace_id = $1 and n.call_id = c.id
           where c.workspace_id = $1 and c.id = any($2) and c.source <> 'historical_sync'"#,
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}
