//! Statements about supervisor runs, and what they read of execution: their jobs, what waits for a person, engines and targets.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{Classification, Limit, RunSource, SupervisorRunStatus};
use crate::server::jobs::AdvanceRun;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_execution::model::{EngineConfig, JobStatus};
use patchbay_execution::server::Spent;
use patchbay_jobs::queue::Job;
use patchbay_shared::AppError;
use patchbay_shared::ids::{
    AgentId, CallId, ClientId, EngineId, ExecutionJobId, SessionId, SupervisorRunId, TargetId, TeamId, UserId,
};

/// A run as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub id: SupervisorRunId,
    pub team: TeamId,
    pub version: i32,
    pub session: SessionId,
    pub user: Option<UserId>,
    /// For whom it works.
    pub client: Option<ClientId>,
    pub message: String,
    pub engine: Option<EngineId>,
    pub status: SupervisorRunStatus,
    pub output: Option<String>,
    pub asked_back: bool,
    /// An agent was given its answer.
    pub is_told: bool,
    pub failure: Option<String>,
    pub is_cancelled: bool,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    pub again_of: Option<SupervisorRunId>,
    pub steps: i32,
    pub cost: Decimal,
    pub created: DateTime<Utc>,
    pub started: Option<DateTime<Utc>>,
    pub completed: Option<DateTime<Utc>>,
}

impl Run {
    pub fn is_over(&self) -> bool {
        matches!(self.status, SupervisorRunStatus::Completed | SupervisorRunStatus::Failed)
    }
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: SupervisorRunId) -> Result<Run, AppError> {
    Ok(sqlx::query_as!(
        Run,
        r#"select r.id as "id: SupervisorRunId", r.team_id as "team: TeamId", r.team_version as version, r.session_id as "session: SessionId",
                  r.user_id as "user: UserId", r.client_id as "client: ClientId", r.user_message as message, r.engine_id as "engine: EngineId",
                  r.status as "status: SupervisorRunStatus", r.execution_output as output, r.asked_back, r.answer_told_at is not null as "is_told!", r.failure,
                  r.cancel_requested_at is not null as "is_cancelled!", u.name as "cancelled_by?",
                  r.again_of as "again_of: SupervisorRunId", r.steps, r.cost, r.created_at as created, r.started_at as started,
                  r.completed_at as completed
           from supervisor_runs r left join users u on u.id = r.cancelled_by
           where r.workspace_id = $1 and r.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Holds a run. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: SupervisorRunId) -> Result<Run, AppError> {
    sqlx::query_scalar!(
        "select id from supervisor_runs where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

/// A run that begins.
pub(crate) struct NewRow<'a> {
    pub id: SupervisorRunId,
    pub team: TeamId,
    pub version: i32,
    pub session: SessionId,
    pub source: RunSource,
    pub call: Option<CallId>,
    pub client: Option<ClientId>,
    pub message: &'a str,
    pub engine: Option<(EngineId, String)>,
    pub again_of: Option<SupervisorRunId>,
    pub key: Option<Uuid>,
}

/// False: there is one of this key.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewRow<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into supervisor_runs (workspace_id, id, team_id, team_version, session_id, user_id, source, call_id, user_message, engine_id,
                                      execution_engine, again_of, idempotency_key, client_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (workspace_id, idempotency_key) where idempotency_key is not null do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.team.0,
        new.version,
        new.session.0,
        tx.user_id().map(|id| id.0),
        new.source.as_str(),
        new.call.map(|id| id.0),
        new.message,
        new.engine.as_ref().map(|(id, _)| id.0),
        new.engine.as_ref().map(|(_, name)| name.as_str()),
        new.again_of.map(|id| id.0),
        new.key,
        new.client.map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The run that a key has made, and its team.
pub(crate) async fn by_key(tx: &mut ReadTx, key: Uuid) -> Result<Option<(SupervisorRunId, TeamId)>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: SupervisorRunId", team_id as "team: TeamId" from supervisor_runs
           where workspace_id = $1 and idempotency_key = $2"#,
        tx.workspace_uuid(),
        key
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.team)))
}

/// The key that a text stands for.
pub(crate) async fn key(tx: &mut ReadTx, text: &str) -> Result<Uuid, AppError> {
    Ok(sqlx::query_scalar!(r#"select md5($1)::uuid as "key!""#, text).fetch_one(tx.conn()).await?)
}

/// The newest run of a session.
pub(crate) async fn newest(tx: &mut ReadTx, session: SessionId) -> Result<Option<SupervisorRunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SupervisorRunId" from supervisor_runs
           where workspace_id = $1 and session_id = $2 order by created_at desc, id desc limit 1"#,
        tx.workspace_uuid(),
        session.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// An agent is given the answer of a run.
pub(crate) async fn tell(tx: &mut WriteTx, id: SupervisorRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update supervisor_runs set answer_told_at = coalesce(answer_told_at, now()) where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a session is: of which team, for whom, and a run of it that goes on.
pub(crate) struct Session {
    pub team: TeamId,
    pub client: Option<ClientId>,
    pub open: Option<SupervisorRunId>,
}

/// None: nothing was said in it yet.
pub(crate) async fn session(tx: &mut ReadTx, id: SessionId) -> Result<Option<Session>, AppError> {
    Ok(sqlx::query_as!(
        Session,
        r#"select team_id as "team: TeamId", client_id as "client: ClientId",
                  (select o.id from supervisor_runs o where o.workspace_id = $1 and o.session_id = $2 and o.completed_at is null
                   order by o.created_at, o.id limit 1) as "open: SupervisorRunId"
           from supervisor_runs where workspace_id = $1 and session_id = $2 order by created_at, id limit 1"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Runs of a team that go on.
pub(crate) async fn count_open(tx: &mut ReadTx, team: TeamId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from supervisor_runs where workspace_id = $1 and team_id = $2 and completed_at is null"#,
        tx.workspace_uuid(),
        team.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A run like this one that goes on already, by the engine.
pub(crate) async fn open_again(
    tx: &mut ReadTx,
    of: SupervisorRunId,
    engine: Option<EngineId>,
) -> Result<Option<SupervisorRunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SupervisorRunId" from supervisor_runs
           where workspace_id = $1 and again_of = $2 and engine_id is not distinct from $3 and completed_at is null limit 1"#,
        tx.workspace_uuid(),
        of.0,
        engine.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn begin(tx: &mut WriteTx, id: SupervisorRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update supervisor_runs set status = 'running', started_at = now() where workspace_id = $1 and id = $2 and status = 'pending'",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds what was used, and keeps how long people were waited for in all. Gives whose run it is.
pub(crate) async fn spend(
    tx: &mut WriteTx,
    id: SupervisorRunId,
    spent: &Spent,
    waited_ms: i64,
) -> Result<TeamId, AppError> {
    Ok(sqlx::query_scalar!(
        r#"update supervisor_runs set steps = steps + $3, tokens = tokens + $4, cost = cost + $5, is_unpriced = is_unpriced or $6,
                  waited_ms = greatest(waited_ms, $7)
           where workspace_id = $1 and id = $2 returning team_id as "team: TeamId""#,
        tx.workspace_uuid(),
        id.0,
        spent.steps,
        spent.tokens,
        spent.cost,
        spent.is_unpriced,
        waited_ms,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What the supervisor said newest, and whom it chose.
pub(crate) async fn classify(
    tx: &mut WriteTx,
    id: SupervisorRunId,
    said: &Classification,
    engine: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update supervisor_runs set supervisor_response = $3, worker_agent_id = coalesce($4, worker_agent_id),
                execution_engine = coalesce($5, execution_engine)
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        Json(said) as _,
        said.worker.map(|id| id.0),
        engine,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a run ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct End<'a> {
    pub output: Option<&'a str>,
    pub asked_back: bool,
    /// None: it is completed.
    pub failure: Option<&'a str>,
    pub limit: Option<Limit>,
}

pub(crate) async fn finish(
    tx: &mut WriteTx,
    id: SupervisorRunId,
    end: &End<'_>,
    waited_ms: i64,
) -> Result<(), AppError> {
    sqlx::query!(
        "update supervisor_runs set status = case when $5::text is null then 'completed' else 'failed' end::supervisor_run_status,
                execution_output = $3, asked_back = $4, failure = $5, limit_reached = $6, waited_ms = $7, completed_at = now(),
                started_at = coalesce(started_at, now())
         where workspace_id = $1 and id = $2 and completed_at is null",
        tx.workspace_uuid(),
        id.0,
        end.output,
        end.asked_back,
        end.failure,
        end.limit.map(Limit::as_str),
        waited_ms,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn ask_cancel(tx: &mut WriteTx, id: SupervisorRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update supervisor_runs set cancel_requested_at = now(), cancelled_by = $3
         where workspace_id = $1 and id = $2 and cancel_requested_at is null",
        tx.workspace_uuid(),
        id.0,
        tx.user_id().map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A job that the run has made, and what came of it (execution's table: read only).
#[derive(Debug, Clone)]
pub(crate) struct JobOfRun {
    pub id: ExecutionJobId,
    pub agent: Option<AgentId>,
    pub agent_name: String,
    pub status: JobStatus,
    pub output: Option<String>,
    pub failure: Option<String>,
}

impl JobOfRun {
    pub fn is_open(&self) -> bool {
        !matches!(self.status, JobStatus::Completed | JobStatus::Failed | JobStatus::Oom)
    }

    /// What was answered last, of these jobs.
    pub fn last(jobs: &[JobOfRun]) -> Option<&str> {
        jobs.iter().rev().find(|job| job.status == JobStatus::Completed)?.output.as_deref()
    }
}

/// In the order in which they were made; what jobs themselves have asked for is left out.
pub(crate) async fn jobs(tx: &mut ReadTx, id: SupervisorRunId) -> Result<Vec<JobOfRun>, AppError> {
    Ok(sqlx::query_as!(
        JobOfRun,
        r#"select id as "id: ExecutionJobId", agent_id as "agent: AgentId", coalesce(worker_config -> 'agent' ->> 'name', '') as "agent_name!",
                  status as "status: JobStatus", result ->> 'output' as output, last_failure_reason as failure
           from execution_jobs where workspace_id = $1 and supervisor_run_id = $2 and parent_job_id is null order by created_at, id"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How long people were waited for, in milliseconds: several who are asked at once are waited for once (execution's table: read only).
pub(crate) async fn waited(tx: &mut ReadTx, id: SupervisorRunId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(sum(extract(epoch from upper(span) - lower(span)) * 1000), 0)::bigint as "waited!"
           from unnest((select range_agg(tstzrange(requested_at, greatest(requested_at, coalesce(decided_at, now()))))
                        from execution_approvals where workspace_id = $1 and supervisor_run_id = $2)) as span"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What was said in the session before a run, oldest first: message, and answer.
pub(crate) async fn before(tx: &mut ReadTx, run: &Run, most: i64) -> Result<Vec<(String, Option<String>)>, AppError> {
    let of = run.again_of.unwrap_or(run.id);
    let mut rows = sqlx::query!(
        "select r.user_message, r.execution_output from supervisor_runs r
         join supervisor_runs o on o.workspace_id = $1 and o.id = $2 and o.session_id = r.session_id
         where r.workspace_id = $1 and (r.created_at, r.id) < (o.created_at, o.id) order by r.created_at desc, r.id desc limit $3",
        tx.workspace_uuid(),
        of.0,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    rows.reverse();
    Ok(rows.into_iter().map(|row| (row.user_message, row.execution_output)).collect())
}

/// An engine that agents work on (execution's table: read only).
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub id: EngineId,
    pub name: String,
    pub config: EngineConfig,
}

/// The engine of this id when it is in use and asks a model; without one the agency's default, or the oldest.
pub(crate) async fn engine(tx: &mut ReadTx, id: Option<EngineId>) -> Result<Option<Engine>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: EngineId", name, handler_config as "config: Json<EngineConfig>" from execution_engines
           where workspace_id = $1 and is_active and type = 'model' and ($2::uuid is null or id = $2)
           order by is_default desc, created_at, id limit 1"#,
        tx.workspace_uuid(),
        id.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Engine { id: row.id, name: row.name, config: row.config.0 }))
}

/// The target of this id when it is in use; without one the oldest (execution's table: read only).
pub(crate) async fn target(tx: &mut ReadTx, id: Option<TargetId>) -> Result<Option<TargetId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: TargetId" from execution_targets
           where workspace_id = $1 and is_active and ($2::uuid is null or id = $2) order by created_at, id limit 1"#,
        tx.workspace_uuid(),
        id.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Runs that go on, with nobody at them: no job of the queue, and no job of execution that has not ended (tables of others: read only).
pub(crate) async fn lost(tx: &mut ReadTx) -> Result<Vec<SupervisorRunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select r.id as "id: SupervisorRunId" from supervisor_runs r
           where r.workspace_id = $1 and r.completed_at is null
             and not exists (select from jobs j where j.workspace_id = $1 and j.kind = $2 and j.dedupe_key like r.id::text || ':%'
                               and j.status in ('pending', 'processing'))
             and not exists (select from execution_jobs e where e.workspace_id = $1 and e.supervisor_run_id = r.id and e.completed_at is null)
           order by r.id limit 200"#,
        tx.workspace_uuid(),
        AdvanceRun::KIND,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Runs that have begun and not ended.
pub(crate) async fn under_way(tx: &mut ReadTx) -> Result<Vec<SupervisorRunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SupervisorRunId" from supervisor_runs
           where workspace_id = $1 and completed_at is null and started_at is not null order by id limit 500"#,
        tx.workspace_uuid(),
    )
    .fetch_all(tx.conn())
    .await?)
}
