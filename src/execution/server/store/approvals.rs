//! Statements about approvals. Deciding one touches no other table, so that a client's admin may decide who sees no job.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::model::Decision;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ApprovalId, ClientId, ExecutionJobId, SupervisorRunId};

/// A question to a person.
pub(crate) struct NewApproval<'a> {
    pub id: ApprovalId,
    pub job: ExecutionJobId,
    pub run: Option<SupervisorRunId>,
    pub client: Option<ClientId>,
    pub for_client: bool,
    pub rule: &'a str,
    pub tool: Option<&'a str>,
    pub title: &'a str,
    pub details: &'a Value,
    pub content: &'a str,
    pub minutes: i32,
}

/// Gives when it expires.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewApproval<'_>) -> Result<DateTime<Utc>, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into execution_approvals (workspace_id, id, job_id, supervisor_run_id, client_id, for_client, rule, tool_name, title, details,
                                          content, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now() + make_interval(mins => $12)) returning expires_at",
        tx.workspace_uuid(),
        new.id.0,
        new.job.0,
        new.run.map(|id| id.0),
        new.client.map(|id| id.0),
        new.for_client,
        new.rule,
        new.tool,
        new.title,
        new.details,
        new.content,
        new.minutes
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A question, with what was decided.
#[derive(Debug, Clone)]
pub(crate) struct Approval {
    pub id: ApprovalId,
    pub job: ExecutionJobId,
    pub client: Option<ClientId>,
    pub for_client: bool,
    pub rule: String,
    pub tool: Option<String>,
    pub title: String,
    pub content: String,
    pub requested_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub decision: Option<Decision>,
    pub by: Option<String>,
    pub note: String,
    pub edited: Option<String>,
}

macro_rules! select_approval {
    ($tail:literal, $tx:expr, $($arg:expr),+) => {
        sqlx::query_as!(
            Approval,
            r#"select a.id as "id: ApprovalId", a.job_id as "job: ExecutionJobId",
                      a.client_id as "client: ClientId", a.for_client, a.rule, a.tool_name as tool, a.title, a.content, a.requested_at, a.expires_at,
                      a.decision as "decision: Decision", u.name as "by?", a.note,
                      a.edited_content as edited
               from execution_approvals a left join users u on u.id = a.decided_by
               where a.workspace_id = $1 "#
                + $tail,
            $tx.workspace_uuid(),
            $($arg),+
        )
    };
}

/// One that the caller may see: a client's people those that a rule gives to them. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: ApprovalId) -> Result<Approval, AppError> {
    let client = tx.scope().client_id().map(|id| id.0);
    let found = select_approval!(
        "and a.id = $2 and ($3::uuid is null or (a.for_client and a.client_id = $3))",
        tx,
        id.0,
        client
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// All of a job, in the order in which they were asked.
pub(crate) async fn all_of(tx: &mut ReadTx, job: ExecutionJobId) -> Result<Vec<Approval>, AppError> {
    Ok(select_approval!("and a.job_id = $2 order by a.requested_at, a.id", tx, job.0).fetch_all(tx.conn()).await?)
}

/// Somebody has it open; who was first stays. False: so it was, or it is decided or over.
pub(crate) async fn note_open(tx: &mut WriteTx, id: ApprovalId) -> Result<bool, AppError> {
    let (by, client) = (tx.user_id().map(|id| id.0), tx.scope().client_id().map(|id| id.0));
    let noted = sqlx::query!(
        "update execution_approvals set opened_by = $3, opened_at = now()
         where workspace_id = $1 and id = $2 and decision is null and expires_at > now()
           and (opened_by is null or opened_by = $3 or opened_at < now() - interval '10 minutes')
           and ($4::uuid is null or (for_client and client_id = $4))",
        tx.workspace_uuid(),
        id.0,
        by,
        client
    )
    .execute(tx.conn())
    .await?;
    Ok(noted.rows_affected() > 0)
}

/// Decides it, unless somebody has, or it has expired. False: so it was.
pub(crate) async fn decide(
    tx: &mut WriteTx,
    id: ApprovalId,
    decision: Decision,
    edited: Option<&str>,
    note: &str,
) -> Result<bool, AppError> {
    let (by, client) = (tx.user_id().map(|id| id.0), tx.scope().client_id().map(|id| id.0));
    let done = sqlx::query!(
        "update execution_approvals set decision = $3, decided_by = $4, decided_at = now(), note = $5, edited_content = $6
         where workspace_id = $1 and id = $2 and decision is null and expires_at > now()
           and ($7::uuid is null or (for_client and client_id = $7))",
        tx.workspace_uuid(),
        id.0,
        decision.as_str(),
        by,
        note,
        edited,
        client
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Its time is over. False: somebody has decided, or it is not over.
pub(crate) async fn expire(tx: &mut WriteTx, id: ApprovalId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update execution_approvals set decision = 'expired', decided_at = now()
         where workspace_id = $1 and id = $2 and decision is null and expires_at <= now()",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Nobody needs to decide any more. Gives which.
pub(crate) async fn withdraw(
    tx: &mut WriteTx,
    job: ExecutionJobId,
) -> Result<Vec<(ApprovalId, Option<ClientId>)>, AppError> {
    let rows = sqlx::query!(
        r#"update execution_approvals set decision = 'withdrawn', decided_at = now()
           where workspace_id = $1 and job_id = $2 and decision is null
           returning id as "id: ApprovalId", case when for_client then client_id end as "client: ClientId""#,
        tx.workspace_uuid(),
        job.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.client)).collect())
}

/// Those of a job that were decided and of which no step tells yet.
pub(crate) async fn untold(tx: &mut ReadTx, job: ExecutionJobId) -> Result<Vec<ApprovalId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select a.id as "id: ApprovalId" from execution_approvals a
           where a.workspace_id = $1 and a.job_id = $2 and a.decision is not null and a.decision <> 'withdrawn'
             and not exists (select from execution_steps s where s.workspace_id = $1 and s.job_id = a.job_id and s.kind = 'approval'
                               and s.payload ->> 'approval' = a.id::text)"#,
        tx.workspace_uuid(),
        job.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Those whose time is over, and those that were decided and whose jobs still wait: their job was lost.
pub(crate) async fn to_move_on(tx: &mut ReadTx) -> Result<Vec<ApprovalId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select a.id as "id: ApprovalId" from execution_approvals a
           join execution_jobs j on j.workspace_id = $1 and j.id = a.job_id
           where a.workspace_id = $1 and j.completed_at is null and j.status = 'awaiting_approval'
             and ((a.decision is null and a.expires_at <= now())
                  or not exists (select from execution_approvals o
                                 where o.workspace_id = $1 and o.job_id = a.job_id and o.decision is null))
           order by a.expires_at limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Since when the jobs of a run wait for people. None: none does.
pub(crate) async fn waiting_since(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(sqlx::query_scalar!(
        "select min(a.requested_at) from execution_approvals a
         join execution_jobs j on j.workspace_id = $1 and j.id = a.job_id
         where a.workspace_id = $1 and a.supervisor_run_id = $2 and j.status = 'awaiting_approval' and a.decision is null",
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?)
}
