//! What the loop reads of an agent.

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId};

/// What a conversation needs to know of its agent.
pub(crate) struct Speaker {
    pub client: Option<ClientId>,
    /// Its client is archived, or the agent was deleted.
    pub is_at_rest: bool,
    /// 0 to 1.
    pub temperature: Option<f64>,
    /// What it says first, word for word; empty: it finds its own words.
    pub greeting: String,
    /// The other person speaks first.
    pub waits: bool,
}

/// Errors: `NotFound`.
pub(crate) async fn speaker(tx: &mut ReadTx, agent: AgentId) -> Result<Speaker, AppError> {
    let row = sqlx::query!(
        r#"select a.client_id as "client: ClientId", not a.is_active or coalesce(c.status = 'archived', false) as "is_at_rest!",
                  (a.config ->> 'temperature')::float8 as temperature, coalesce(a.config ->> 'greeting', '') as "greeting!",
                  coalesce(a.config ->> 'first_speaker' = 'user', false) as "waits!"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Speaker {
        client: row.client,
        is_at_rest: row.is_at_rest,
        temperature: row.temperature,
        greeting: row.greeting,
        waits: row.waits,
    })
}
