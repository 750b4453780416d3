//! Statements about the results of cases.

use rust_decimal::Decimal;
use sqlx::types::Json;
use uuid::Uuid;

use super::Case;
use crate::model::{Check, Line, Matcher, ResultDetail, ResultRow, TestResult};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{SuiteRunId, TestCaseId, TestRunId};
use patchbay_shared::{AppError, Money};

/// Puts the cases of a run into their order, each so many times.
pub(crate) async fn insert(tx: &mut WriteTx, run: SuiteRunId, cases: &[Case], times: i32) -> Result<(), AppError> {
    let repeats: Vec<i32> = cases.iter().flat_map(|_| 1..=times).collect();
    let cases: Vec<&Case> = cases.iter().flat_map(|case| (0..times).map(move |_| case)).collect();
    let column = |of: fn(&Case) -> String| cases.iter().map(|case| of(case)).collect::<Vec<String>>();
    let ids: Vec<Uuid> = cases.iter().map(|_| Uuid::now_v7()).collect();
    let keys: Vec<Uuid> = cases.iter().map(|case| case.id.0).collect();
    let agents: Vec<Uuid> = cases.iter().map(|case| case.agent.0).collect();
    let editions: Vec<i32> = cases.iter().map(|case| case.edition).collect();
    let positions: Vec<i32> = (0..cases.len() as i32).collect();
    sqlx::query!(
        "insert into test_runs (workspace_id, id, suite_run_id, agent_id, case_id, position, case_name, case_edition, matcher, test_input,
                                expected_output, repeat)
         select $1, n.id, $2, n.agent, n.case_id, n.position, n.name, n.edition, n.matcher, n.input, n.expected, n.repeat
         from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::int[], $9::text[], $10::text[], $11::text[], $12::int[])
           as n (id, agent, case_id, position, name, edition, matcher, input, expected, repeat)",
        tx.workspace_uuid(),
        run.0,
        &ids,
        &agents,
        &keys,
        &positions,
        &column(|case| case.fields.name.clone()),
        &editions,
        &column(|case| case.fields.matcher.as_str().to_owned()),
        &column(|case| case.fields.input.clone()),
        &column(|case| case.fields.expected.clone()),
        &repeats,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a worker left behind that did not come to its end waits again.
pub(crate) async fn put_back(tx: &mut WriteTx, run: SuiteRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update test_runs set result = 'waiting', set_aside = 0 where workspace_id = $1 and suite_run_id = $2 and result = 'running'",
        tx.workspace_uuid(),
        run.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The cases of a run, by their ids.
pub(crate) async fn cases(tx: &mut ReadTx, run: SuiteRunId) -> Result<Vec<TestCaseId>, AppError> {
    let rows = sqlx::query_scalar!(
        "select case_id from test_runs where workspace_id = $1 and suite_run_id = $2 order by case_id",
        tx.workspace_uuid(),
        run.0
    );
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(TestCaseId).collect())
}

/// Takes the next few cases of a run: result, case, and the case's edition when the run was started.
pub(crate) async fn take(
    tx: &mut WriteTx,
    run: SuiteRunId,
    most: i64,
) -> Result<Vec<(TestRunId, TestCaseId, i32)>, AppError> {
    let rows = sqlx::query!(
        "update test_runs set result = 'running'
         where workspace_id = $1 and id in (
           select id from test_runs where workspace_id = $1 and suite_run_id = $2 and result = 'waiting' order by position limit $3)
         returning id, case_id, case_edition",
        tx.workspace_uuid(),
        run.0,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (TestRunId(row.id), TestCaseId(row.case_id), row.case_edition)).collect())
}

/// How a case came out.
pub(crate) struct Ended {
    pub result: TestResult,
    pub why: Option<String>,
    pub actual: Option<String>,
    pub checks: Vec<Check>,
    pub transcript: Vec<Line>,
    pub run: Option<Uuid>,
    pub tokens: i32,
    pub cost: Decimal,
    pub unpriced: i32,
    pub reply_ms: Option<i32>,
}

pub(crate) async fn finish(tx: &mut WriteTx, id: TestRunId, ended: &Ended) -> Result<(), AppError> {
    sqlx::query!(
        "update test_runs set result = $3, error_message = $4, actual_output = $5, checks = $6, transcript = $7, run_id = $8, tokens = $9,
                cost = $10, unpriced = $11, reply_ms = $12, set_aside = 0
         where workspace_id = $1 and id = $2 and result in ('running', 'left_out')",
        tx.workspace_uuid(),
        id.0,
        ended.result.as_str(),
        ended.why,
        ended.actual,
        Json(&ended.checks) as _,
        Json(&ended.transcript) as _,
        ended.run,
        ended.tokens,
        ended.cost,
        ended.unpriced,
        ended.reply_ms
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What nobody else may spend of the grid's budget while an answer is on its way.
pub(crate) async fn set_aside(tx: &mut WriteTx, id: TestRunId, amount: Decimal) -> Result<(), AppError> {
    sqlx::query!(
        "update test_runs set set_aside = $3 where workspace_id = $1 and id = $2 and result = 'running' and set_aside <> $3",
        tx.workspace_uuid(),
        id.0,
        amount
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The run ends: what has not begun does not begin.
pub(crate) async fn leave_out(tx: &mut WriteTx, run: SuiteRunId) -> Result<(), AppError> {
    sqlx::query!(
        "update test_runs set result = 'left_out' where workspace_id = $1 and suite_run_id = $2 and result = 'waiting'",
        tx.workspace_uuid(),
        run.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The run has ended, and nobody is at these any more. Gives those that had begun.
pub(crate) async fn abandon(tx: &mut WriteTx, run: SuiteRunId) -> Result<Vec<TestRunId>, AppError> {
    let rows = sqlx::query_scalar!(
        "update test_runs set result = 'left_out', set_aside = 0 where workspace_id = $1 and suite_run_id = $2 and result = 'running'
         returning id",
        tx.workspace_uuid(),
        run.0
    );
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(TestRunId).collect())
}

macro_rules! rows_in {
    ($where:tt, $tx:expr, $id:expr) => {
        sqlx::query!(
            r#"select t.id as "id: TestRunId", t.suite_run_id as "run: SuiteRunId", s.number, s.prompt_version, s.model,
                      t.case_id as "case_id: TestCaseId", t.case_name, t.repeat, t.matcher as "matcher: Matcher", t.result as "result: TestResult",
                      t.error_message, t.tokens, t.cost, t.unpriced, t.reply_ms
               from test_runs t join suite_runs s on s.workspace_id = $1 and s.id = t.suite_run_id
               where t.workspace_id = $1 and "# + $where,
            $tx.workspace_uuid(), $id
        )
    };
}

macro_rules! row {
    ($row:expr) => {{
        let row = $row;
        ResultRow {
            id: row.id,
            run: row.run,
            number: row.number,
            version: row.prompt_version,
            model: row.model,
            case: row.case_id,
            name: row.case_name,
            time: row.repeat,
            matcher: row.matcher,
            result: row.result,
            why: row.error_message,
            tokens: row.tokens,
            cost: Money(row.cost),
            unpriced: row.unpriced,
            reply_ms: row.reply_ms,
        }
    }};
}

/// The results of a run, in the order of its cases.
pub(crate) async fn of_run(tx: &mut ReadTx, run: SuiteRunId) -> Result<Vec<ResultRow>, AppError> {
    let rows = rows_in!("t.suite_run_id = $2 order by t.position limit 500", tx, run.0).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row!(row)).collect())
}

/// What came of a case, newest first.
pub(crate) async fn of_case(tx: &mut ReadTx, case: TestCaseId) -> Result<Vec<ResultRow>, AppError> {
    let rows = rows_in!("t.case_id = $2 order by t.id desc limit 20", tx, case.0).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(|row| row!(row)).collect())
}

/// One result with everything. Errors: `NotFound`.
pub(crate) async fn detail(tx: &mut ReadTx, id: TestRunId) -> Result<ResultDetail, AppError> {
    let row = row!(rows_in!("t.id = $2", tx, id.0).fetch_one(tx.conn()).await?);
    let more = sqlx::query!(
        r#"select t.test_input, t.expected_output, t.actual_output, t.checks as "checks: Json<Vec<Check>>",
                  t.transcript as "transcript: Json<Vec<Line>>", t.run_id,
                  (k.edition <> t.case_edition or k.removed_at is not null) as "has_changed!"
           from test_runs t join test_cases k on k.workspace_id = $1 and k.id = t.case_id
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(ResultDetail {
        row,
        input: more.test_input,
        expected: more.expected_output,
        actual: more.actual_output,
        checks: more.checks.0,
        transcript: more.transcript.0,
        steps: more.run_id.map(|id| id.to_string()),
        has_changed: more.has_changed,
    })
}
