//! Statements about grids, their cells and their purse.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::Case;
use crate::model::{CaseInCell, Counts, GridCase, GridCell, GridQuery, GridRow, Matcher, SuiteStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, PromptId, SuiteRunId, TestCaseId, TestGridId, TestRunId};
use patchbay_shared::search::filled;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Money, Page, Stamp};

/// A grid that is about to begin.
pub(crate) struct NewTestGrid<'a> {
    pub id: TestGridId,
    pub agent: AgentId,
    pub prompt: PromptId,
    pub choices: &'a str,
    pub repeats: i32,
    pub budget: Decimal,
}

/// Gives its number. None: the same is going on, or another one had the number.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewTestGrid<'_>) -> Result<Option<i32>, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into test_grids (workspace_id, id, agent_id, number, prompt_id, choices, repeats, budget, started_by)
         select $1, $2, $3, coalesce(max(g.number), 0) + 1, $4, $5, $6, $7, $8
         from test_grids g where g.workspace_id = $1 and g.agent_id = $3
         on conflict do nothing returning number",
        tx.workspace_uuid(),
        new.id.0,
        new.agent.0,
        new.prompt.0,
        new.choices,
        new.repeats,
        new.budget,
        tx.user_id().map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The grid that goes on with the same choices: its id, its number, and whether it has the same prompt and the same cases as they are now.
pub(crate) async fn going_on(
    tx: &mut ReadTx,
    new: &NewTestGrid<'_>,
    cases: &[Case],
) -> Result<Option<(TestGridId, i32, bool)>, AppError> {
    let (ids, editions): (Vec<Uuid>, Vec<i32>) = cases.iter().map(|case| (case.id.0, case.edition)).unzip();
    let found = sqlx::query!(
        r#"select g.id, g.number, g.prompt_id = $4 and not exists (
             select 1 from unnest($5::uuid[], $6::int[]) as c (id, edition)
             full join (
               select distinct t.case_id, t.case_edition
               from suite_runs s join test_runs t on t.workspace_id = $1 and t.suite_run_id = s.id
               where s.workspace_id = $1 and s.grid_id = g.id) k on k.case_id = c.id and k.case_edition = c.edition
             where c.id is null or k.case_id is null) as "is_same!"
           from test_grids g
           where g.workspace_id = $1 and g.agent_id = $2 and md5(g.choices) = md5($3) and g.status = 'running'"#,
        tx.workspace_uuid(),
        new.agent.0,
        new.choices,
        new.prompt.0,
        &ids,
        &editions
    );
    Ok(found.fetch_optional(tx.conn()).await?.map(|row| (TestGridId(row.id), row.number, row.is_same)))
}

/// A grid that is held against other writers until the commit. Whoever holds a grid and its cells holds the grid first.
pub(crate) struct Held {
    pub id: TestGridId,
    pub agent: AgentId,
    pub number: i32,
    pub status: SuiteStatus,
    pub budget: Decimal,
}

/// Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: TestGridId) -> Result<Held, AppError> {
    Ok(sqlx::query_as!(
        Held,
        r#"select id as "id: TestGridId", agent_id as "agent: AgentId", number, status as "status: SuiteStatus", budget
           from test_grids where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same for the grid that a run is a cell of. None: of none.
pub(crate) async fn lock_of_run(tx: &mut WriteTx, run: SuiteRunId) -> Result<Option<Held>, AppError> {
    let grid = sqlx::query_scalar!(
        "select grid_id from suite_runs where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?;
    match grid {
        Some(grid) => Ok(Some(lock(tx, TestGridId(grid)).await?)),
        None => Ok(None),
    }
}

/// Its cells, and how they stand.
pub(crate) async fn states(tx: &mut ReadTx, id: TestGridId) -> Result<Vec<(SuiteRunId, SuiteStatus)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: SuiteRunId", status as "status: SuiteStatus" from suite_runs
           where workspace_id = $1 and grid_id = $2 order by number"#,
        tx.workspace_uuid(),
        id.0
    );
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(|row| (row.id, row.status)).collect())
}

/// How many of its cells somebody is at now, but for `but`.
pub(crate) async fn busy(tx: &mut ReadTx, id: TestGridId, but: SuiteRunId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(distinct s.id) as "busy!"
           from suite_runs s join test_runs t on t.workspace_id = $1 and t.suite_run_id = s.id and t.result = 'running'
           where s.workspace_id = $1 and s.grid_id = $2 and s.id <> $3"#,
        tx.workspace_uuid(),
        id.0,
        but.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What of its budget is gone, and what is set aside for answers on their way.
pub(crate) struct Purse {
    pub spent: Decimal,
    /// Answers whose price nobody told.
    pub unpriced: i64,
    pub set_aside: Decimal,
}

/// `but`: whose own share is left out.
pub(crate) async fn purse(tx: &mut ReadTx, id: TestGridId, but: Option<TestRunId>) -> Result<Purse, AppError> {
    Ok(sqlx::query_as!(
        Purse,
        r#"select coalesce(sum(s.spent), 0) as "spent!", coalesce(sum(s.unpriced), 0) as "unpriced!",
                  coalesce(sum(h.set_aside), 0) as "set_aside!"
           from suite_runs s
           cross join lateral (
             select coalesce(sum(t.set_aside), 0) as set_aside from test_runs t
             where t.workspace_id = $1 and t.suite_run_id = s.id and t.set_aside > 0 and t.id is distinct from $3) h
           where s.workspace_id = $1 and s.grid_id = $2"#,
        tx.workspace_uuid(),
        id.0,
        but.map(|id| id.0)
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Ends a grid that goes on. False: it had ended.
pub(crate) async fn end(tx: &mut WriteTx, id: TestGridId, status: SuiteStatus) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update test_grids set status = $3, ended_at = now() where workspace_id = $1 and id = $2 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        status.as_str()
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! rows_in {
    ($where:tt, $tx:expr, $($value:expr),+) => {
        sqlx::query!(
            r#"select g.id as "id: TestGridId", g.agent_id as "agent: AgentId", g.number, g.status as "status: SuiteStatus", g.repeats, g.budget,
                      g.created_at, g.ended_at, g.choices, g.prompt_id as "prompt: PromptId", p.name as prompt_name, u.name as "by?",
                      c.versions as "versions!", c.models as "models!", c.spent as "spent!", c.unpriced as "unpriced!",
                      r.all_cases as "all_cases!", r.passed as "passed!", r.failed as "failed!", r.errors as "errors!",
                      r.left_out as "left_out!"
               from test_grids g
               join prompts p on p.workspace_id = $1 and p.id = g.prompt_id
               left join users u on u.id = g.started_by
               cross join lateral (
                 select coalesce(array_agg(distinct s.prompt_version), '{}') as versions,
                        coalesce(array_agg(distinct s.model), '{}') as models,
                        coalesce(sum(s.spent), 0) as spent, coalesce(sum(s.unpriced), 0)::int as unpriced
                 from suite_runs s where s.workspace_id = $1 and s.grid_id = g.id) c
               cross join lateral (
                 select count(*) as all_cases, count(*) filter (where t.result = 'pass') as passed,
                        count(*) filter (where t.result = 'fail') as failed, count(*) filter (where t.result = 'error') as errors,
                        count(*) filter (where t.result = 'left_out') as left_out
                 from suite_runs s join test_runs t on t.workspace_id = $1 and t.suite_run_id = s.id
                 where s.workspace_id = $1 and s.grid_id = g.id) r
               where g.workspace_id = $1 and "# + $where,
            $tx.workspace_uuid(), $($value),+
        )
    };
}

macro_rules! row {
    ($row:expr, $now:expr, $zone:expr) => {
        GridRow {
            id: $row.id,
            number: $row.number,
            status: $row.status,
            versions: $row.versions,
            models: $row.models,
            repeats: $row.repeats,
            counts: Counts {
                all: $row.all_cases,
                passed: $row.passed,
                failed: $row.failed,
                errors: $row.errors,
                left_out: $row.left_out,
            },
            spent: Money($row.spent),
            unpriced: $row.unpriced,
            budget: Money($row.budget),
            by: $row.by,
            started: stamp($row.created_at, $now, $zone),
        }
    };
}

/// Grids of an agent, newest first or oldest first.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &GridQuery,
    limit: usize,
) -> Result<Page<GridRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let id: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let status = filled(query.status.as_deref());
    let most = limit as i64 + 1;
    let oldest_first = query.sort.as_deref() == Some("created");
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let rows: Vec<GridRow> = if oldest_first == backwards {
        let found = rows_in!(
            "g.agent_id = $2 and ($3::text is null or g.status = $3) and ($4::uuid is null or g.id < $4) order by g.id desc limit $5",
            tx,
            agent.0,
            status,
            id,
            most
        );
        found.fetch_all(tx.conn()).await?.into_iter().map(|row| row!(row, now, zone)).collect()
    } else {
        let found = rows_in!(
            "g.agent_id = $2 and ($3::text is null or g.status = $3) and ($4::uuid is null or g.id > $4) order by g.id asc limit $5",
            tx,
            agent.0,
            status,
            id,
            most
        );
        found.fetch_all(tx.conn()).await?.into_iter().map(|row| row!(row, now, zone)).collect()
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| id.is_some()), |row| row.id.to_string()))
}

/// One grid without its cells.
pub(crate) struct Found {
    pub agent: AgentId,
    pub prompt: (PromptId, String),
    pub choices: String,
    pub ended: Option<Stamp>,
    pub row: GridRow,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: TestGridId) -> Result<Found, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = rows_in!("g.id = $2", tx, id.0).fetch_one(tx.conn()).await?;
    Ok(Found {
        agent: row.agent,
        prompt: (row.prompt, row.prompt_name.clone()),
        choices: row.choices.clone(),
        ended: row.ended_at.map(|at| stamp(at, now, zone)),
        row: row!(row, now, zone),
    })
}

/// The cells of a grid, in the order in which they were asked for.
pub(crate) async fn cells(tx: &mut ReadTx, id: TestGridId) -> Result<Vec<GridCell>, AppError> {
    let rows = sqlx::query!(
        r#"select s.id as "run: SuiteRunId", s.number, s.prompt_version, coalesce(v.labels, '{}') as "labels!", k.name as account, k.provider,
                  s.model, s.status as "status: SuiteStatus", s.note, s.spent, s.unpriced, s.is_usual and s.is_whole as "decides!",
                  c.all_cases as "all_cases!", c.passed as "passed!", c.failed as "failed!", c.errors as "errors!",
                  c.left_out as "left_out!", c.median_ms, c.p95_ms, c.cost as "cost!", c.cost_unpriced as "cost_unpriced!"
           from suite_runs s
           join provider_connections k on k.workspace_id = $1 and k.id = s.connection_id
           left join prompt_versions v on v.workspace_id = $1 and v.prompt_id = s.prompt_id and v.version = s.prompt_version
           cross join lateral (
             select count(*) as all_cases, count(*) filter (where t.result = 'pass') as passed,
                    count(*) filter (where t.result = 'fail') as failed, count(*) filter (where t.result = 'error') as errors,
                    count(*) filter (where t.result = 'left_out') as left_out,
                    percentile_cont(0.5) within group (order by t.reply_ms) filter (where t.result in ('pass', 'fail', 'error')) as median_ms,
                    percentile_cont(0.95) within group (order by t.reply_ms) filter (where t.result in ('pass', 'fail', 'error')) as p95_ms,
                    coalesce(sum(t.cost) filter (where t.result in ('pass', 'fail', 'error')), 0) as cost,
                    coalesce(sum(t.unpriced) filter (where t.result in ('pass', 'fail', 'error')), 0)::int as cost_unpriced
             from test_runs t where t.workspace_id = $1 and t.suite_run_id = s.id) c
           where s.workspace_id = $1 and s.grid_id = $2 order by s.number"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let cells = rows.into_iter().map(|row| GridCell {
        run: row.run,
        number: row.number,
        version: row.prompt_version,
        labels: row.labels,
        account: if row.account.is_empty() { row.provider } else { row.account },
        model: row.model,
        status: row.status,
        note: row.note,
        counts: Counts {
            all: row.all_cases,
            passed: row.passed,
            failed: row.failed,
            errors: row.errors,
            left_out: row.left_out,
        },
        median_ms: row.median_ms.map(|ms| ms.round() as i32),
        p95_ms: row.p95_ms.map(|ms| ms.round() as i32),
        spent: Money(row.spent),
        unpriced: row.unpriced,
        cost: Money(row.cost / Decimal::from((row.passed + row.failed + row.errors).max(1))),
        cost_unpriced: row.cost_unpriced,
        decides: row.decides,
    });
    Ok(cells.collect())
}

/// Every case of a grid with what came of it in each of `cells`.
pub(crate) async fn cases(tx: &mut ReadTx, id: TestGridId, cells: &[GridCell]) -> Result<Vec<GridCase>, AppError> {
    let rows = sqlx::query!(
        r#"select t.case_id as "case_id: TestCaseId", t.suite_run_id as "run: SuiteRunId", min(t.case_name) as "name!",
                  min(t.matcher) as "matcher!: Matcher", count(*) as "all_cases!", count(*) filter (where t.result = 'pass') as "passed!",
                  count(*) filter (where t.result = 'fail') as "failed!", count(*) filter (where t.result = 'error') as "errors!",
                  count(*) filter (where t.result = 'left_out') as "left_out!",
                  percentile_cont(0.5) within group (order by t.reply_ms) filter (where t.result in ('pass', 'fail', 'error')) as median_ms
           from suite_runs s join test_runs t on t.workspace_id = $1 and t.suite_run_id = s.id
           where s.workspace_id = $1 and s.grid_id = $2
           group by t.case_id, t.suite_run_id order by min(t.position), t.case_id"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let mut cases: Vec<GridCase> = Vec::new();
    for row in rows {
        let place = match cases.iter().position(|case| case.case == row.case_id) {
            Some(place) => place,
            None => {
                let (name, matcher) = (row.name, row.matcher);
                cases.push(GridCase { case: row.case_id, name, matcher, cells: vec![None; cells.len()] });
                cases.len() - 1
            }
        };
        let Some(cell) = cells.iter().position(|cell| cell.run == row.run) else { continue };
        cases[place].cells[cell] = Some(CaseInCell {
            counts: Counts {
                all: row.all_cases,
                passed: row.passed,
                failed: row.failed,
                errors: row.errors,
                left_out: row.left_out,
            },
            median_ms: row.median_ms.map(|ms| ms.round() as i32),
        });
    }
    Ok(cases)
}

/// Names of models that an agent was tested with lately.
pub(crate) async fn tested_models(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select distinct r.model as "model!" from (
             select s.model from suite_runs s where s.workspace_id = $1 and s.agent_id = $2 order by s.id desc limit 200) r
           order by 1"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?)
}
