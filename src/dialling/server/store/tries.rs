//! Statements on how often a call-back was tried.

use chrono::{DateTime, Utc};

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallBackId, CampaignContactId};
use patchbay_shared::window::CallingWindow;

/// A call-back that a batch has, and what decides whether it is tried again.
pub(crate) struct Tried {
    pub id: CallBackId,
    pub due_at: DateTime<Utc>,
    /// Calls that were placed for it, the last one included.
    pub tries: i64,
    pub window: sqlx::types::Json<CallingWindow>,
    /// IANA name: the contact's, else the client's.
    pub zone: String,
}

/// The call-back for which the batch calls the contact; none when it calls for another reason.
pub(crate) async fn of_contact(
    tx: &mut ReadTx,
    batch: BatchId,
    member: CampaignContactId,
) -> Result<Option<Tried>, AppError> {
    Ok(sqlx::query_as!(
        Tried,
        r#"select b.id as "id: CallBackId", b.due_at as "due_at!",
                  (select count(*) from calls c where c.workspace_id = $1 and c.campaign_contact_id = $3 and c.batch_id = $2
                     and c.dialled_at >= b.due_at) as "tries!",
                  m.calling_window as "window: sqlx::types::Json<CallingWindow>", coalesce(p.timezone, k.timezone) as "zone!"
           from call_backs b
           join campaigns m on m.workspace_id = $1 and m.id = b.campaign_id
           join contacts p on p.workspace_id = $1 and p.id = b.contact_id
           join clients k on k.workspace_id = $1 and k.id = b.client_id
           where b.workspace_id = $1 and b.campaign_contact_id = $3 and b.batch_id = $2 and b.status = 'dialling'"#,
        tx.workspace_uuid(),
        batch.0,
        member.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What people read of one that is tried again.
pub(crate) async fn say(tx: &mut WriteTx, id: CallBackId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update call_backs set why = $3, updated_at = now() where workspace_id = $1 and id = $2 and status = 'dialling'",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
