//! Statements about giving calls to people.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::model::{CallDirection, TransferStatus, TransferStep};
use patchbay_access::Field;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{CallId, CallTransferId, ClientId, ToolInvocationId};
use patchbay_shared::{AppError, zone};

/// Somebody who can be rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub name: String,
    pub number: String,
}

/// A call that is to be given to a person.
pub(crate) struct Line {
    pub client: Option<ClientId>,
    pub is_client_archived: bool,
    pub is_over: bool,
    pub direction: CallDirection,
    pub from: Option<String>,
    pub to: Option<String>,
    pub has_leg: bool,
    /// It goes through a carrier that is not told whom to ring.
    pub is_elsewhere: bool,
    /// Who was rung for it up to now.
    pub rings: i64,
    /// Somebody talks with the caller.
    pub is_with_person: bool,
}

/// The call, locked until the commit. Errors: `NotFound`.
pub(crate) async fn line(tx: &mut WriteTx, call: CallId) -> Result<Line, AppError> {
    Ok(sqlx::query_as!(
        Line,
        r#"select c.client_id as "client: ClientId", coalesce(k.status <> 'active', false) as "is_client_archived!",
                  c.ended_at is not null as "is_over!", c.direction as "direction: CallDirection", c."from", c."to",
                  coalesce((select l.control from call_legs l where l.workspace_id = $1 and l.provider = 'telnyx' and l.call_id = $2
                              and l.control is not null limit 1), c.carrier_call_id) is not null as "has_leg!",
                  exists (select from agency_phone_numbers n where n.workspace_id = $1 and n.status <> 'released' and n.integration_id is not null
                            and n.number = case c.direction when 'inbound' then c."to" else c."from" end) as "is_elsewhere!",
                  (select count(*) from call_transfers t where t.workspace_id = $1 and t.call_id = $2) as "rings!",
                  exists (select from call_transfers t where t.workspace_id = $1 and t.call_id = $2 and t.status = 'connected')
                    as "is_with_person!"
           from calls c left join clients k on k.workspace_id = $1 and k.id = c.client_id
           where c.workspace_id = $1 and c.id = $2 for update of c"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A person to be rung.
pub(crate) struct New<'a> {
    pub id: CallTransferId,
    pub call: CallId,
    pub client: Option<ClientId>,
    pub invocation: ToolInvocationId,
    pub position: i32,
    pub person: &'a Person,
    pub from: &'a str,
    pub reason: &'a str,
    pub ring_seconds: i32,
    pub next: &'a [Person],
}

/// Writes down who is to be rung. False: for this use it is written down already, or somebody else is being rung for the call.
pub(crate) async fn insert(tx: &mut WriteTx, new: &New<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        r#"insert into call_transfers (workspace_id, id, call_id, client_id, invocation_id, position, destination, number, "from", reason,
                                       ring_seconds, next)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing"#,
        tx.workspace_uuid(),
        new.id.0,
        new.call.0,
        new.client.map(|id| id.0),
        new.invocation.0,
        new.position,
        new.person.name,
        new.person.number,
        new.from,
        new.reason,
        new.ring_seconds,
        Json(new.next) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One ring, with the call as it is now.
pub(crate) struct Transfer {
    pub id: CallTransferId,
    pub call: CallId,
    pub client: Option<ClientId>,
    pub provider_call_id: Option<String>,
    pub is_call_over: bool,
    pub invocation: ToolInvocationId,
    pub position: i32,
    pub destination: String,
    pub number: String,
    pub from: String,
    pub reason: String,
    pub ring_seconds: i32,
    pub next: Json<Vec<Person>>,
    pub status: TransferStatus,
    pub why: Option<String>,
    /// The carrier's id of the caller's leg.
    pub line: Option<String>,
    /// The carrier's id of the person's leg.
    pub control: Option<String>,
    pub asked_at: Option<DateTime<Utc>>,
    pub rung_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub is_settled: bool,
}

/// None: there is none.
pub(crate) async fn get(tx: &mut ReadTx, id: CallTransferId) -> Result<Option<Transfer>, AppError> {
    Ok(sqlx::query_as!(
        Transfer,
        r#"select t.id as "id: CallTransferId", t.call_id as "call: CallId", t.client_id as "client: ClientId", c.provider_call_id,
                  c.ended_at is not null as "is_call_over!", t.invocation_id as "invocation: ToolInvocationId", t.position, t.destination,
                  t.number, t."from", t.reason, t.ring_seconds, t.next as "next: Json<Vec<Person>>", t.status as "status: TransferStatus",
                  t.why, t.control, t.asked_at, t.rung_at, t.answered_at, t.ended_at, t.settled_at is not null as "is_settled!",
                  coalesce((select l.control from call_legs l where l.workspace_id = $1 and l.provider = 'telnyx' and l.call_id = t.call_id
                              and l.control is not null
                              and not exists (select from call_transfers o where o.workspace_id = $1 and o.control = l.control)
                            order by l.started_at, l.leg limit 1), c.carrier_call_id) as line
           from call_transfers t join calls c on c.workspace_id = $1 and c.id = t.call_id
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The ring that a leg of the carrier's is for, and its call: by the id that was given to the leg, else by what it told of itself before.
pub(crate) async fn of_leg(
    tx: &mut WriteTx,
    id: Option<CallTransferId>,
    control: Option<&str>,
) -> Result<Option<(CallTransferId, CallId)>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: CallTransferId", call_id as "call: CallId" from call_transfers
           where workspace_id = $1 and (id = $2 or control = $3) order by id = $2 desc nulls last limit 1"#,
        tx.workspace_uuid(),
        id.map(|id| id.0),
        control
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.call)))
}

/// The carrier is asked now. Gives when it was asked first; none: it needs to be asked no more.
pub(crate) async fn ask(tx: &mut WriteTx, id: CallTransferId) -> Result<Option<DateTime<Utc>>, AppError> {
    let asked = sqlx::query_scalar!(
        r#"update call_transfers set asked_at = coalesce(asked_at, now())
           where workspace_id = $1 and id = $2 and status = 'requested' returning asked_at as "asked_at!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(asked)
}

/// It rings. `control`: the carrier's id of the person's leg, once it is known. `since`: when it began, as the carrier says.
pub(crate) async fn rings(
    tx: &mut WriteTx,
    id: CallTransferId,
    control: Option<&str>,
    since: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update call_transfers set control = coalesce(control, $3), rung_at = coalesce(least(rung_at, $4), now()),
                status = case when status = 'requested' then 'ringing' else status end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        control,
        since
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Somebody answered, also when it is heard after the end, or after they were given up. True: that is news.
pub(crate) async fn connect(tx: &mut WriteTx, id: CallTransferId, at: DateTime<Utc>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_transfers set status = case when status = 'ended' then 'ended' else 'connected' end,
                answered_at = greatest(least($3, case when status = 'ended' then coalesce(ended_at, $3) else $3 end), coalesce(rung_at, $3)),
                ended_at = case when status = 'ended' then ended_at end, why = case when status = 'ended' then why end,
                settled_at = case when status in ('not_answered', 'failed') then null else settled_at end
         where workspace_id = $1 and id = $2
           and (status in ('requested', 'ringing', 'not_answered', 'failed') or (status = 'ended' and answered_at is null))",
        tx.workspace_uuid(),
        id.0,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Nobody was reached. True: that is news.
pub(crate) async fn miss(
    tx: &mut WriteTx,
    id: CallTransferId,
    status: TransferStatus,
    why: &str,
    at: DateTime<Utc>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_transfers set status = $3, why = $4, ended_at = greatest($5, coalesce(rung_at, $5))
         where workspace_id = $1 and id = $2 and status in ('requested', 'ringing')",
        tx.workspace_uuid(),
        id.0,
        status.as_str(),
        why,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The person's leg is over. `has_talked`: the way it ended says so, also where nobody has heard that they answered. True: that is news.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: CallTransferId,
    at: DateTime<Utc>,
    has_talked: bool,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_transfers set status = 'ended', ended_at = greatest($3, answered_at)
         where workspace_id = $1 and id = $2 and (status = 'connected' or ($4 and status in ('requested', 'ringing')))",
        tx.workspace_uuid(),
        id.0,
        at,
        has_talked
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A leg that ended as after a talk, of which no answer was heard: nobody was reached.
pub(crate) async fn unanswered(tx: &mut WriteTx, id: CallTransferId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update call_transfers set status = 'not_answered', why = $3
         where workspace_id = $1 and id = $2 and status = 'ended' and answered_at is null",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What follows from a ring that stands so was done. True: it still stands so, and it was not done before.
pub(crate) async fn settle(tx: &mut WriteTx, id: CallTransferId, status: TransferStatus) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_transfers set settled_at = now() where workspace_id = $1 and id = $2 and status = $3 and settled_at is null",
        tx.workspace_uuid(),
        id.0,
        status.as_str()
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who was rung for a call, in order, as far as the viewer may see it.
pub(crate) async fn steps(tx: &mut ReadTx, call: CallId) -> Result<Vec<TransferStep>, AppError> {
    let rows = sqlx::query!(
        r#"select destination, number,
                  -- whether they have talked is not known yet
                  case when status = 'ended' and answered_at is null then 'ringing' else status end as "status!: TransferStatus", why, reason, requested_at,
                  extract(epoch from coalesce(answered_at, ended_at) - rung_at)::bigint as rang,
                  extract(epoch from ended_at - answered_at)::bigint as talked
           from call_transfers where workspace_id = $1 and call_id = $2 order by id"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_all(tx.conn())
    .await?;
    let (scope, now) = (tx.scope().clone(), tx.now().await?);
    let steps = rows.into_iter().map(|row| TransferStep {
        destination: row.destination,
        number: scope.shown(Field::Transfer, row.number),
        status: row.status,
        why: scope.shown(Field::Transfer, row.why).flatten(),
        reason: scope.shown(Field::Steps, row.reason),
        at: zone::exact(row.requested_at, now, scope.zone()),
        rang_seconds: row.rang.map(|seconds| seconds.max(0)),
        talked_seconds: row.talked.map(|seconds| seconds.max(0)),
    });
    Ok(steps.collect())
}
