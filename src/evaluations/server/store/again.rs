//! Statements about runs of a test that repeat another one.

use rust_decimal::Decimal;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ConnectionId, PromptId, RunId, SuiteRunId, TestCaseId};

/// What a run of an agent was, as far as repeating it asks.
pub(crate) struct Before {
    pub title: String,
    pub is_running: bool,
    pub is_call: bool,
    pub agent: Option<AgentId>,
    /// None: it was no test.
    pub test: Option<Test>,
}

/// The case and the run of tests that it was part of.
pub(crate) struct Test {
    pub case: TestCaseId,
    pub case_name: String,
    /// The case is as it was then.
    pub is_same: bool,
    pub is_removed: bool,
    pub prompt: PromptId,
    pub version: i32,
    pub connection: ConnectionId,
    pub account: String,
    pub model: String,
    pub budget: Decimal,
}

/// Errors: `NotFound`.
pub(crate) async fn before(tx: &mut ReadTx, run: RunId) -> Result<Before, AppError> {
    let row = sqlx::query!(
        r#"select title, completed_at is null as "is_running!", run_type = 'live_call' as "is_call!", agent_id as "agent: AgentId"
           from agent_runs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?;
    // The run of a test has the id of its result.
    let test = sqlx::query!(
        r#"select t.case_id as "case_id: TestCaseId", t.case_name, k.edition = t.case_edition as "is_same!",
                  k.removed_at is not null as "is_removed!", s.prompt_id as "prompt: PromptId", s.prompt_version as version,
                  s.connection_id as "connection: ConnectionId", coalesce(nullif(c.name, ''), c.provider) as "account!", s.model, s.budget
           from test_runs t
           join test_cases k on k.workspace_id = $1 and k.id = t.case_id
           join suite_runs s on s.workspace_id = $1 and s.id = t.suite_run_id
           join provider_connections c on c.workspace_id = $1 and c.id = s.connection_id
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(Before {
        title: row.title,
        is_running: row.is_running,
        is_call: row.is_call,
        agent: row.agent,
        test: test.map(|test| Test {
            case: test.case_id,
            case_name: test.case_name,
            is_same: test.is_same,
            is_removed: test.is_removed,
            prompt: test.prompt,
            version: test.version,
            connection: test.connection,
            account: test.account,
            model: test.model,
            budget: test.budget,
        }),
    })
}

/// Says that the one case of a run of tests, which was written down in this transaction, repeats another run. False: the case or
/// the prompt is another one by now.
pub(crate) async fn link(tx: &mut WriteTx, run: SuiteRunId, before: RunId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update test_runs t set again_of = b.id from test_runs b
           join suite_runs o on o.workspace_id = $1 and o.id = b.suite_run_id
           join suite_runs n on n.workspace_id = $1 and n.id = $2 and n.prompt_id = o.prompt_id and n.prompt_version = o.prompt_version
         where t.workspace_id = $1 and t.suite_run_id = $2 and b.workspace_id = $1 and b.id = $3 and t.case_id = b.case_id
           and t.case_edition = b.case_edition",
        tx.workspace_uuid(),
        run.0,
        before.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether a run of tests repeats another run.
pub(crate) async fn repeats(tx: &mut ReadTx, run: SuiteRunId, before: RunId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from test_runs where workspace_id = $1 and suite_run_id = $2 and again_of = $3) as "repeats!""#,
        tx.workspace_uuid(),
        run.0,
        before.0
    )
    .fetch_one(tx.conn())
    .await?)
}
