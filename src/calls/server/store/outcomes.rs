//! What is stored of a call that says how it went, and the outcome that follows.

use crate::model::detail::CallBackNote;
use crate::model::{CallBackStatus, ContactOutcome};
use crate::server::outcomes::shown_why;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{CallBackId, CallId, CampaignContactId, ClientId};
use patchbay_shared::{AppError, zone};

/// A call that was answered and is over, as far as its outcome depends on it.
pub(crate) struct Known {
    pub client_id: Option<ClientId>,
    pub campaign_contact_id: Option<CampaignContactId>,
    pub outcome: Option<ContactOutcome>,
    pub end_reason: Option<String>,
    /// The carrier's detection: `human` or `machine`.
    pub answered_by: Option<String>,
    /// How a model read it, in its word.
    pub heard: Option<String>,
    /// A call-back that was asked for in it is scheduled, or has been dialled.
    pub is_called_back: bool,
}

/// One message, without its words.
pub(crate) struct Turn {
    pub role: String,
    pub tool_name: Option<String>,
    pub failed: bool,
    /// Of a tool that was used: what it was asked. Empty for all else.
    pub arguments: String,
}

/// The call, locked until the commit; none while it goes on, and when nobody answered.
pub(crate) async fn known(tx: &mut WriteTx, id: CallId) -> Result<Option<Known>, AppError> {
    Ok(sqlx::query_as!(
        Known,
        r#"select c.client_id as "client_id: ClientId", c.campaign_contact_id as "campaign_contact_id: CampaignContactId",
                  c.outcome as "outcome: ContactOutcome", c.end_reason, c.answered_by,
                  (select a.result ->> 'outcome' from call_analyses a where a.workspace_id = $1 and a.call_id = $2) as heard,
                  exists (select from call_backs b where b.workspace_id = $1 and b.call_id = $2
                            and (b.status in ('scheduled', 'dialling', 'kept') or (b.status = 'needs_person' and b.batch_id is not null)))
                    as "is_called_back!"
           from calls c where c.workspace_id = $1 and c.id = $2 and c.ended_at is not null and c.joined_at is not null for update of c"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn turns(tx: &mut ReadTx, id: CallId) -> Result<Vec<Turn>, AppError> {
    Ok(sqlx::query_as!(
        Turn,
        r#"select role, tool_name, error_details is not null as "failed!", case when role = 'tool_call' then text else '' end as "arguments!"
           from call_messages where workspace_id = $1 and call_id = $2 order by position"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The call-back that a call asked for, and whether a person may set one: when the call was with a contact of a campaign who waits for none.
pub(crate) async fn call_back_of(tx: &mut ReadTx, id: CallId) -> Result<(Option<CallBackNote>, bool), AppError> {
    let row = sqlx::query!(
        r#"select b.id as "id?: CallBackId", b.status as "status?: CallBackStatus", b.due_at, b.why,
                  c.campaign_contact_id is not null and c.ended_at is not null and b.id is null
                    and not exists (select from call_backs o where o.workspace_id = $1 and o.campaign_contact_id = c.campaign_contact_id
                                      and o.status in ('scheduled', 'dialling', 'needs_person')) as "may_set!"
           from calls c left join call_backs b on b.workspace_id = $1 and b.call_id = c.id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, local) = (tx.now().await?, tx.scope().zone());
    let note = row.id.zip(row.status).map(|(id, status)| CallBackNote {
        id,
        status,
        due: row.due_at.map(|at| zone::moment_text(at, now, local)),
        why: shown_why(tx.scope(), status, row.why),
    });
    Ok((note, row.may_set && tx.scope().may(Action::RunBatches)))
}

/// A machine reaches no goal.
pub(crate) async fn set(tx: &mut WriteTx, id: CallId, outcome: ContactOutcome) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set outcome = $3, goal_reached = goal_reached and $3::contact_outcome <> 'voicemail', updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        outcome as ContactOutcome
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the carrier heard. A person whom it takes for a machine at first stays one once it has said so: the later word counts.
pub(crate) async fn set_answered_by(tx: &mut WriteTx, id: CallId, who: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set answered_by = $3, updated_at = now() where workspace_id = $1 and id = $2 and answered_by is distinct from $3",
        tx.workspace_uuid(),
        id.0,
        who
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
