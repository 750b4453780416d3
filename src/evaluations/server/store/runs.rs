//! Statements about runs of a suite.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::model::{Counts, SuiteQuery, SuiteRow, SuiteRun, SuiteStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, ConnectionId, PromptId, SuiteRunId, TestGridId, UserId};
use patchbay_shared::search::filled;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Money, Page};

/// A run that is about to begin.
pub(crate) struct NewSuiteRun<'a> {
    pub id: SuiteRunId,
    pub agent: AgentId,
    pub prompt: PromptId,
    pub version: i32,
    pub connection: ConnectionId,
    pub model: &'a str,
    pub is_usual: bool,
    pub is_whole: bool,
    pub budget: Decimal,
    /// The grid that it is a cell of.
    pub grid: Option<TestGridId>,
}

/// Gives its number. None: the same is going on.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewSuiteRun<'_>) -> Result<Option<i32>, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into suite_runs (workspace_id, id, agent_id, number, prompt_id, prompt_version, connection_id, model, is_usual, is_whole,
                                 budget, started_by, grid_id)
         select $1, $2, $3, coalesce(max(r.number), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12
         from suite_runs r where r.workspace_id = $1 and r.agent_id = $3
         on conflict do nothing returning number",
        tx.workspace_uuid(),
        new.id.0,
        new.agent.0,
        new.prompt.0,
        new.version,
        new.connection.0,
        new.model,
        new.is_usual,
        new.is_whole,
        new.budget,
        tx.user_id().map(|id| id.0),
        new.grid.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Rows of one statement in one direction of the list.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $agent:expr, $status:expr, $version:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select s.id as "id: SuiteRunId", s.number, s.status as "status: SuiteStatus", s.prompt_version, s.model, s.spent, s.unpriced,
                      s.created_at, u.name as "by?", c.all_cases as "all_cases!", c.passed as "passed!", c.failed as "failed!",
                      c.errors as "errors!", c.left_out as "left_out!"
               from suite_runs s
               left join users u on u.id = s.started_by
               cross join lateral (
                 select count(*) as all_cases, count(*) filter (where t.result = 'pass') as passed,
                        count(*) filter (where t.result = 'fail') as failed, count(*) filter (where t.result = 'error') as errors,
                        count(*) filter (where t.result = 'left_out') as left_out
                 from test_runs t where t.workspace_id = $1 and t.suite_run_id = s.id) c
               where s.workspace_id = $1 and s.agent_id = $2
                 and ($3::text is null or s.status = $3) and ($4::int is null or s.prompt_version = $4)
                 and ($5::uuid is null or s.id "# + $after + r#" $5)
               order by s.id "# + $way + r#" limit $6"#,
            $tx.workspace_uuid(), $agent.0, $status, $version, $id, $limit
        )
    };
}

/// Runs of an agent's cases, newest first or oldest first.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &SuiteQuery,
    limit: usize,
) -> Result<Page<SuiteRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let id: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let status = filled(query.status.as_deref());
    let version: Option<i32> = query.version.as_deref().and_then(|text| text.parse().ok());
    let most = limit as i64 + 1;
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| SuiteRow {
                    id: row.id,
                    number: row.number,
                    status: row.status,
                    version: row.prompt_version,
                    model: row.model,
                    counts: Counts {
                        all: row.all_cases,
                        passed: row.passed,
                        failed: row.failed,
                        errors: row.errors,
                        left_out: row.left_out,
                    },
                    spent: Money(row.spent),
                    unpriced: row.unpriced,
                    by: row.by,
                    started: stamp(row.created_at, now, zone),
                })
                .collect()
        };
    }
    let oldest_first = query.sort.as_deref() == Some("created");
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let rows: Vec<SuiteRow> = if oldest_first == backwards {
        rows!(list_in!("<", "desc", tx, agent, status, version, id, most))
    } else {
        rows!(list_in!(">", "asc", tx, agent, status, version, id, most))
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| id.is_some()), |row| row.id.to_string()))
}

/// One run. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: SuiteRunId) -> Result<SuiteRun, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select s.agent_id as "agent: AgentId", s.number, s.status as "status: SuiteStatus", s.prompt_id as "prompt: PromptId",
                  p.name as prompt_name, s.prompt_version, coalesce(v.labels, '{}') as "labels!", s.connection_id, k.name as connection_name,
                  k.provider, s.model, s.is_usual, s.is_whole, s.note, s.budget, s.spent, s.unpriced, s.created_at, s.ended_at,
                  u.name as "by?", c.all_cases as "all_cases!", c.passed as "passed!", c.failed as "failed!", c.errors as "errors!",
                  c.left_out as "left_out!", c.reply_ms, g.id as "grid?: TestGridId", g.number as "grid_number?"
           from suite_runs s
           left join test_grids g on g.workspace_id = $1 and g.id = s.grid_id
           join prompts p on p.workspace_id = $1 and p.id = s.prompt_id
           join provider_connections k on k.workspace_id = $1 and k.id = s.connection_id
           left join prompt_versions v on v.workspace_id = $1 and v.prompt_id = s.prompt_id and v.version = s.prompt_version
           left join users u on u.id = s.started_by
           cross join lateral (
             select count(*) as all_cases, count(*) filter (where t.result = 'pass') as passed,
                    count(*) filter (where t.result = 'fail') as failed, count(*) filter (where t.result = 'error') as errors,
                    count(*) filter (where t.result = 'left_out') as left_out,
                    percentile_cont(0.5) within group (order by t.reply_ms) filter (where t.result in ('pass', 'fail', 'error')) as reply_ms
             from test_runs t where t.workspace_id = $1 and t.suite_run_id = s.id) c
           where s.workspace_id = $1 and s.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let counts = Counts {
        all: row.all_cases,
        passed: row.passed,
        failed: row.failed,
        errors: row.errors,
        left_out: row.left_out,
    };
    Ok(SuiteRun {
        row: SuiteRow {
            id,
            number: row.number,
            status: row.status,
            version: row.prompt_version,
            model: row.model,
            counts,
            spent: Money(row.spent),
            unpriced: row.unpriced,
            by: row.by,
            started: stamp(row.created_at, now, zone),
        },
        agent: row.agent,
        prompt: (row.prompt, row.prompt_name),
        account: if row.connection_name.is_empty() { row.provider } else { row.connection_name },
        account_id: row.connection_id.to_string(),
        labels: row.labels,
        is_usual: row.is_usual,
        is_whole: row.is_whole,
        note: row.note,
        budget: Money(row.budget),
        ended: row.ended_at.map(|at| stamp(at, now, zone)),
        reply_ms: row.reply_ms.map(|ms| ms.round() as i32),
        grid: row.grid.zip(row.grid_number),
    })
}

/// What a worker needs to know of a run.
pub(crate) struct Work {
    pub agent: AgentId,
    pub number: i32,
    pub prompt: PromptId,
    pub version: i32,
    pub connection: ConnectionId,
    pub model: String,
    pub status: SuiteStatus,
    pub budget: Decimal,
    pub spent: Decimal,
    pub unpriced: i32,
    pub started_by: Option<UserId>,
    pub grid: Option<TestGridId>,
}

macro_rules! work_in {
    ($more:tt, $tx:expr, $id:expr) => {
        sqlx::query_as!(
            Work,
            r#"select agent_id as "agent: AgentId", number, prompt_id as "prompt: PromptId", prompt_version as version,
                      connection_id as "connection: ConnectionId", model, status as "status: SuiteStatus", budget, spent, unpriced,
                      started_by as "started_by: UserId", grid_id as "grid: TestGridId"
               from suite_runs where workspace_id = $1 and id = $2"# + $more,
            $tx.workspace_uuid(), $id.0
        )
    };
}

/// Errors: `NotFound`.
pub(crate) async fn work(tx: &mut ReadTx, id: SuiteRunId) -> Result<Work, AppError> {
    Ok(work_in!("", tx, id).fetch_one(tx.conn()).await?)
}

/// The same, held against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: SuiteRunId) -> Result<Work, AppError> {
    Ok(work_in!(" for update", tx, id).fetch_one(tx.conn()).await?)
}

/// An answer has come. `cost`: `None`: nobody told.
pub(crate) async fn add_spent(tx: &mut WriteTx, id: SuiteRunId, cost: Option<Decimal>) -> Result<(), AppError> {
    sqlx::query!(
        "update suite_runs set spent = spent + $3, unpriced = unpriced + $4 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        cost.unwrap_or_default(),
        i32::from(cost.is_none())
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a run that goes on. False: it had ended.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: SuiteRunId,
    status: SuiteStatus,
    note: Option<&str>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update suite_runs set status = $3, note = $4, ended_at = now() where workspace_id = $1 and id = $2 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        status.as_str(),
        note
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The run that asks for the same and goes on.
pub(crate) async fn going_on(
    tx: &mut ReadTx,
    agent: AgentId,
    version: i32,
    connection: ConnectionId,
    model: &str,
) -> Result<Option<(SuiteRunId, i32)>, AppError> {
    let found = sqlx::query!(
        "select id, number from suite_runs
         where workspace_id = $1 and agent_id = $2 and prompt_version = $3 and connection_id = $4 and model = $5 and status = 'running'
           and grid_id is null",
        tx.workspace_uuid(),
        agent.0,
        version,
        connection.0,
        model
    );
    Ok(found.fetch_optional(tx.conn()).await?.map(|row| (SuiteRunId(row.id), row.number)))
}

/// An agent whose cases have to pass before a version goes to production.
pub(crate) struct Gate {
    pub agent: AgentId,
    pub name: String,
    pub cases: i64,
    /// Cases that the version has passed as they are now, each time, in the newest whole run with the agent's own model.
    pub passed: i64,
    pub run: Option<i32>,
    /// What that run was made with.
    pub connection: Option<ConnectionId>,
    pub model: Option<String>,
}

/// The suites that gate a prompt, with how a version stands there.
pub(crate) async fn of_gates(tx: &mut ReadTx, prompt: PromptId, version: i32) -> Result<Vec<Gate>, AppError> {
    Ok(sqlx::query_as!(
        Gate,
        r#"select a.id as "agent: AgentId", a.name, c.cases as "cases!", c.passed as "passed!", l.number as "run?",
                  l.connection_id as "connection?: ConnectionId", l.model as "model?"
           from test_suites g
           join agents a on a.workspace_id = $1 and a.id = g.agent_id
           left join lateral (
             select s.id, s.number, s.connection_id, s.model from suite_runs s
             where s.workspace_id = $1 and s.agent_id = a.id and s.prompt_id = $2 and s.prompt_version = $3 and s.is_usual and s.is_whole
             order by s.id desc limit 1) l on true
           cross join lateral (
             select count(*) as cases, count(*) filter (where coalesce((
                      select bool_and(t.result = 'pass') from test_runs t
                      where t.workspace_id = $1 and t.suite_run_id = l.id and t.case_id = k.id and t.case_edition = k.edition), false)) as passed
             from test_cases k
             where k.workspace_id = $1 and k.agent_id = a.id and k.removed_at is null) c
           where g.workspace_id = $1 and g.gates_production and a.is_active and a.prompt_service_id = $2
           order by a.name, a.id limit 100"#,
        tx.workspace_uuid(),
        prompt.0,
        version
    )
    .fetch_all(tx.conn())
    .await?)
}
