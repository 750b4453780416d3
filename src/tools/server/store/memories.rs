use chrono::{DateTime, Utc};

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, ClientId, ContactId, ContactMemoryId};

/// A note about a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    pub id: ContactMemoryId,
    pub note: String,
    pub agent: String,
    pub client_id: ClientId,
    pub call: Option<CallId>,
    pub at: DateTime<Utc>,
}

/// Notes about a contact, newest first.
pub async fn list(tx: &mut ReadTx, contact: ContactId, limit: i64) -> Result<Vec<Memory>, AppError> {
    let rows = sqlx::query!(
        r#"select m.id, m.note, m.client_id, m.call_id, m.created_at, coalesce(a.name, '') as "agent!"
           from contact_memories m left join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.contact_id = $2 order by m.id desc limit $3"#,
        tx.workspace_uuid(),
        contact.0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Memory {
            id: ContactMemoryId(row.id),
            note: row.note,
            agent: row.agent,
            client_id: ClientId(row.client_id),
            call: row.call_id.map(CallId),
            at: row.created_at,
        })
        .collect())
}

/// What a note is written from.
pub(crate) struct NewMemory<'a> {
    pub id: ContactMemoryId,
    pub client: ClientId,
    pub contact: ContactId,
    pub agent: AgentId,
    pub call: Option<CallId>,
    pub note: &'a str,
}

/// Writes a note down, unless the same words are there already. The oldest ones beyond `most` go.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewMemory<'_>, most: i64) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into contact_memories (workspace_id, id, client_id, contact_id, agent_id, call_id, note)
         select $1, $2, $3, $4, $5, $6, $7
         where not exists (select from contact_memories where workspace_id = $1 and contact_id = $4 and note = $7)",
        tx.workspace_uuid(),
        new.id.0,
        new.client.0,
        new.contact.0,
        new.agent.0,
        new.call.map(|id| id.0),
        new.note
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from contact_memories where workspace_id = $1 and contact_id = $2 and id not in (
           select id from contact_memories where workspace_id = $1 and contact_id = $2 order by id desc limit $3)",
        tx.workspace_uuid(),
        new.contact.0,
        most
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes one note and gives its words. Errors: `NotFound`.
pub(crate) async fn remove(
    tx: &mut WriteTx,
    contact: ContactId,
    id: ContactMemoryId,
) -> Result<(String, ClientId), AppError> {
    let row = sqlx::query!(
        "delete from contact_memories where workspace_id = $1 and contact_id = $2 and id = $3 returning note, client_id",
        tx.workspace_uuid(),
        contact.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.note, ClientId(row.client_id)))
}
