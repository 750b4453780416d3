//! What a CRM is told about a call (tables of others: calls, call_analyses, call_backs, agents).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use patchbay_access::server::ReadTx;
use patchbay_calls::model::ContactOutcome;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ContactId};

pub(crate) struct CallFacts {
    pub contact_id: Option<ContactId>,
    pub contact_name: String,
    pub agent: Option<String>,
    pub is_inbound: bool,
    pub from: Option<String>,
    pub to: Option<String>,
    pub started_at: DateTime<Utc>,
    pub seconds: Option<i32>,
    pub was_answered: bool,
    pub outcome: Option<ContactOutcome>,
    pub summary: Option<String>,
    pub goal_reached: Option<bool>,
    pub analysis: Option<Value>,
    pub call_back_at: Option<DateTime<Utc>>,
    pub call_back_words: Option<String>,
}

/// Errors: `NotFound`.
pub(crate) async fn facts(tx: &mut ReadTx, call: CallId) -> Result<CallFacts, AppError> {
    Ok(sqlx::query_as!(
        CallFacts,
        r#"select c.contact_id as "contact_id: ContactId", c.contact_name, a.name as "agent?", c.direction = 'inbound' as "is_inbound!",
                  c."from", c."to", c.started_at, c.duration as seconds, c.joined_at is not null as "was_answered!",
                  c.outcome as "outcome: ContactOutcome", c.summary, c.goal_reached, n.result as "analysis?",
                  b.due_at as "call_back_at?", b.words as "call_back_words?"
           from calls c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join call_analyses n on n.workspace_id = $1 and n.call_id = c.id
           left join call_backs b on b.workspace_id = $1 and b.call_id = c.id and b.status in ('scheduled', 'needs_person')
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Which of these are calls.
pub(crate) async fn known(tx: &mut ReadTx, ids: &[Uuid]) -> Result<HashSet<Uuid>, AppError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found =
        sqlx::query_scalar!("select id from calls where workspace_id = $1 and id = any($2)", tx.workspace_uuid(), ids)
            .fetch_all(tx.conn())
            .await?;
    Ok(found.into_iter().collect())
}
