//! The answers of models, each with what it cost.

use rust_decimal::RoundingStrategy;
use uuid::Uuid;

use super::budget;
use super::days::{self, Touched};
use patchbay_access::server::WriteTx;
use patchbay_providers::chat::ChatUsage;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, ClientId, UserId};

/// One answer of a model.
#[derive(Debug, Clone)]
pub struct NewUsage {
    pub agent_id: Option<AgentId>,
    pub client_id: Option<ClientId>,
    pub call_id: Option<CallId>,
    /// The service's id of the answer or the conversation.
    pub session_id: Option<String>,
    pub user_id: Option<UserId>,
    /// What it was asked for: `analysis`.
    pub purpose: &'static str,
    /// `vendor/name`.
    pub model: String,
    pub usage: ChatUsage,
}

/// Records one answer, inside the transaction that records what it was good for. A call's own row is changed before: whoever folds
/// news into a call has it first and the client's month second, too.
pub async fn record(tx: &mut WriteTx, new: NewUsage) -> Result<(), AppError> {
    let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
    let at = sqlx::query_scalar!(
        "insert into token_usage (workspace_id, id, agent_id, client_id, call_id, session_id, user_id, purpose, model, prompt_tokens,
                                  completion_tokens, total_tokens, is_estimated, cost)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning created_at",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        new.agent_id.map(|id| id.0),
        new.client_id.map(|id| id.0),
        new.call_id.map(|id| id.0),
        new.session_id,
        new.user_id.map(|id| id.0),
        new.purpose,
        new.model,
        count(new.usage.prompt_tokens),
        count(new.usage.completion_tokens),
        count(new.usage.total_tokens),
        new.usage.is_estimated,
        new.usage.cost,
    )
    .fetch_one(tx.conn())
    .await?;
    days::touch(tx, &[Touched { client_id: new.client_id, at }]).await?;
    // As the column rounds, so that the kept sum is the counted one to the last place. What the service didn't price adds nothing.
    let cost = new.usage.cost.unwrap_or_default();
    budget::add(tx, new.client_id, at, cost.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero)).await
}
