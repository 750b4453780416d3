//! Statements about calls that a person had before.

use crate::model::{CallDirection, ContactOutcome};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId};

/// A call that a contact had before.
pub(crate) struct Earlier {
    pub contact: ContactId,
    /// In the agency's zone.
    pub day: String,
    pub is_inbound: bool,
    pub seconds: Option<i32>,
    pub outcome: Option<ContactOutcome>,
    pub summary: Option<String>,
}

/// With whom these calls are.
pub(crate) async fn contacts_of(tx: &mut ReadTx, calls: &[CallId]) -> Result<Vec<(CallId, ContactId)>, AppError> {
    let calls: Vec<uuid::Uuid> = calls.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select id as "id: CallId", contact_id as "contact!: ContactId" from calls
           where workspace_id = $1 and id = any($2) and contact_id is not null"#,
        tx.workspace_uuid(),
        &calls
    );
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(|row| (row.id, row.contact)).collect())
}

/// The newest `most` calls of each contact that were answered and are over, and not older than so many days; the newest first.
pub(crate) async fn of(
    tx: &mut ReadTx,
    client: ClientId,
    contacts: &[ContactId],
    days: u32,
    most: u32,
) -> Result<Vec<Earlier>, AppError> {
    let zone = tx.scope().zone();
    let contacts: Vec<uuid::Uuid> = contacts.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select e.contact_id as "contact!: ContactId", e.started_at, e.direction as "direction: CallDirection", e.duration,
                  e.outcome as "outcome: ContactOutcome", e.summary
           from unnest($3::uuid[]) as w (contact_id)
           cross join lateral (
             select c.contact_id, c.started_at, c.direction, c.duration, c.outcome, c.summary from calls c
             where c.workspace_id = $1 and c.client_id = $2 and c.contact_id = w.contact_id and c.joined_at is not null
               and c.ended_at is not null and c.started_at > now() - make_interval(days => $4)
             order by c.started_at desc, c.id desc limit $5) e
           order by e.started_at desc"#,
        tx.workspace_uuid(),
        client.0,
        &contacts,
        days as i32,
        i64::from(most)
    );
    let rows = rows.fetch_all(tx.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Earlier {
            contact: row.contact,
            day: row.started_at.with_timezone(&zone).format("%Y-%m-%d").to_string(),
            is_inbound: row.direction == CallDirection::Inbound,
            seconds: row.duration,
            outcome: row.outcome,
            summary: row.summary,
        })
        .collect())
}
