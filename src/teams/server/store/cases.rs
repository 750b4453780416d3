//! Statements about questions that were kept, with what is expected.

use sqlx::types::Json;

use crate::model::{CaseExpects, CaseFields};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{SupervisorRunId, TeamCaseId, TeamId};

/// Errors: `NotFound`, also of one that was removed.
pub(crate) async fn get(tx: &mut ReadTx, id: TeamCaseId) -> Result<CaseFields, AppError> {
    let row = sqlx::query!(
        r#"select team_id as "team: TeamId", name, messages as "messages: Json<Vec<String>>", expects as "expects: Json<CaseExpects>",
                  from_run_id as "from_run: SupervisorRunId"
           from team_cases where workspace_id = $1 and id = $2 and is_active"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(CaseFields {
        team: row.team,
        id: Some(id),
        name: row.name,
        messages: row.messages.0,
        expects: row.expects.0,
        from_run: row.from_run,
    })
}

/// Holds a case. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: TeamCaseId) -> Result<CaseFields, AppError> {
    sqlx::query_scalar!(
        "select id from team_cases where workspace_id = $1 and id = $2 and is_active for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

pub(crate) async fn count(tx: &mut ReadTx, team: TeamId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from team_cases where workspace_id = $1 and team_id = $2 and is_active"#,
        tx.workspace_uuid(),
        team.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Writes a case, in the place of the one of this id or as a new one.
pub(crate) async fn put(tx: &mut WriteTx, id: TeamCaseId, fields: &CaseFields) -> Result<(), AppError> {
    sqlx::query!(
        "insert into team_cases (workspace_id, id, team_id, name, messages, expects, from_run_id) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, id) do update
           set name = excluded.name, messages = excluded.messages, expects = excluded.expects, updated_at = now()",
        tx.workspace_uuid(),
        id.0,
        fields.team.0,
        fields.name,
        Json(&fields.messages) as _,
        Json(&fields.expects) as _,
        fields.from_run.map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn remove(tx: &mut WriteTx, id: TeamCaseId) -> Result<(), AppError> {
    sqlx::query!(
        "update team_cases set is_active = false, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The run that goes on for a case now; what came of the former one is forgotten.
pub(crate) async fn set_run(tx: &mut WriteTx, id: TeamCaseId, run: SupervisorRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update team_cases set last_run_id = $3, last_passed = null, last_note = null, last_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        run.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Cases that wait for the end of a run.
pub(crate) async fn waiting_for(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Vec<TeamCaseId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: TeamCaseId" from team_cases where workspace_id = $1 and last_run_id = $2 and last_passed is null and is_active
           order by id"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many runs of a run's session there are up to it: which message of a case it was.
pub(crate) async fn place(tx: &mut ReadTx, run: SupervisorRunId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from supervisor_runs r
           join supervisor_runs o on o.workspace_id = $1 and o.id = $2 and o.session_id = r.session_id
           where r.workspace_id = $1 and (r.created_at, r.id) <= (o.created_at, o.id)"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whom the runs of a run's session chose, and whether a person was asked in one (execution's table: read only).
pub(crate) async fn came(tx: &mut ReadTx, run: SupervisorRunId) -> Result<(Vec<uuid::Uuid>, bool), AppError> {
    let row = sqlx::query!(
        r#"select coalesce(array_agg(distinct e.agent_id) filter (where e.agent_id is not null), '{}') as "workers!",
                  exists (select from execution_approvals a join supervisor_runs r on r.workspace_id = $1 and r.id = a.supervisor_run_id
                          where a.workspace_id = $1 and r.session_id = o.session_id) as "asked!"
           from supervisor_runs o
           left join supervisor_runs s on s.workspace_id = $1 and s.session_id = o.session_id
           left join execution_jobs e on e.workspace_id = $1 and e.supervisor_run_id = s.id
           where o.workspace_id = $1 and o.id = $2 group by o.session_id"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.workers, row.asked))
}

pub(crate) async fn checked(tx: &mut WriteTx, id: TeamCaseId, passed: bool, note: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update team_cases set last_passed = $3, last_note = $4, last_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        passed,
        note
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A run of the case that goes on.
pub(crate) async fn open_run(tx: &mut ReadTx, id: TeamCaseId) -> Result<Option<SupervisorRunId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select r.id as "id: SupervisorRunId" from team_cases c
           join supervisor_runs r on r.workspace_id = $1 and r.id = c.last_run_id and r.completed_at is null
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether there ever was such a case.
pub(crate) async fn is_known(tx: &mut ReadTx, id: TeamCaseId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from team_cases where workspace_id = $1 and id = $2) as "known!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}
