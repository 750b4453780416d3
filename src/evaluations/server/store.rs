//! Statements about cases and suites. `runs` has those about runs, `results` about their results, `grids` about grids, and `sources` what
//! others have that tests begin with.

pub(crate) mod again;
pub(crate) mod grids;
pub(crate) mod results;
pub(crate) mod runs;
pub(crate) mod sources;

use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{CaseFields, CaseKind, CaseQuery, CaseRow, LastResult, Matcher, TestResult, ToolCheck};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, CallId, ClientId, SuiteRunId, TestCaseId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};
use patchbay_tools::model::AgentHead;

/// The agent whose tests are shown (a table of others: read for names). Errors: `NotFound`.
pub(crate) async fn agent(tx: &mut ReadTx, id: AgentId) -> Result<AgentHead, AppError> {
    let row = sqlx::query!(
        r#"select a.name, a.is_active, a.client_id as "client_id: ClientId", c.name as "client?"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(AgentHead { id, name: row.name, is_active: row.is_active, client_id: row.client_id, client: row.client })
}

/// Rows of one statement, sorted by one column in one direction.
macro_rules! list_in {
    ($column:tt, $type:tt, $after:tt, $way:tt, $tx:expr, $agent:expr, $query:expr, $key:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select t.id as "id: TestCaseId", t.name, t.kind as "kind: CaseKind", t.matcher as "matcher: Matcher", t.tags, t.created_at,
                      l.run as "run?: SuiteRunId", l.number as "number?", l.result as "result?: TestResult", l.has_changed as "has_changed?"
               from test_cases t
               left join lateral (
                 select r.suite_run_id as run, s.number, r.result, r.case_edition <> t.edition as has_changed
                 from test_runs r join suite_runs s on s.workspace_id = $1 and s.id = r.suite_run_id
                 where r.workspace_id = $1 and r.case_id = t.id and r.suite_run_id = (
                   select n.suite_run_id from test_runs n where n.workspace_id = $1 and n.case_id = t.id order by n.id desc limit 1)
                 order by array_position(array['error', 'fail', 'running', 'waiting', 'left_out', 'pass'], r.result), r.repeat limit 1) l on true
               where t.workspace_id = $1 and t.agent_id = $2 and t.removed_at is null
                 and ($3::text is null or t.name ilike $3 or t.input ilike $3)
                 and ($4::text is null or $4 = any(t.tags)) and ($5::text is null or t.matcher = $5)
                 and ($6::text is null or l.result = $6)
                 and ($7::text is null or ("# + $column + r#", t.id) "# + $after + r#" ($7::text::"# + $type + r#", $8::uuid))
               order by "# + $column + r#" "# + $way + r#", t.id "# + $way + r#" limit $9"#,
            $tx.workspace_uuid(), $agent.0, like($query.words.as_deref()), filled($query.tag.as_deref()),
            filled($query.matcher.as_deref()), filled($query.result.as_deref()), $key, $id, $limit
        )
    };
}

/// Cases of an agent, by name or by age.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &CaseQuery,
    limit: usize,
) -> Result<Page<CaseRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (key, id) = place.map_or((None, None), |(key, id)| (Some(key), Some(id)));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let most = limit as i64 + 1;
    let sort = query.sort.as_deref().unwrap_or("name");
    let by_age = sort.ends_with("created");
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| CaseRow {
                    id: row.id,
                    name: row.name,
                    kind: row.kind,
                    matcher: row.matcher,
                    tags: row.tags,
                    created: stamp(row.created_at, now, zone),
                    last: row.run.and_then(|run| {
                        let (number, result) = row.number.zip(row.result)?;
                        Some(LastResult { run, number, result, has_changed: row.has_changed.unwrap_or_default() })
                    }),
                })
                .collect()
        };
    }
    // A key of the other order, from an address that somebody changed, is the first page.
    let key = key.filter(|key| !by_age || key.parse::<Uuid>().is_ok());
    let id = id.filter(|_| key.is_some());
    let has_place = key.is_some();
    let rows: Vec<CaseRow> = match (by_age, sort.starts_with('-') != backwards) {
        (true, false) => rows!(list_in!("t.id", "uuid", ">", "asc", tx, agent, query, key, id, most)),
        (true, true) => rows!(list_in!("t.id", "uuid", "<", "desc", tx, agent, query, key, id, most)),
        (false, false) => rows!(list_in!("t.name", "text", ">", "asc", tx, agent, query, key, id, most)),
        (false, true) => rows!(list_in!("t.name", "text", "<", "desc", tx, agent, query, key, id, most)),
    };
    let key = |row: &CaseRow| {
        let key = if by_age { row.id.to_string() } else { row.name.clone() };
        format!("{}_{key}", row.id)
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| has_place), key))
}

/// Every tag in use, and how many cases there are.
pub(crate) async fn tags(tx: &mut ReadTx, agent: AgentId) -> Result<(Vec<String>, i64), AppError> {
    let row = sqlx::query!(
        r#"select count(distinct t.id) as "cases!",
                  coalesce(array_agg(distinct g.tag order by g.tag) filter (where g.tag is not null), '{}') as "tags!"
           from test_cases t left join lateral unnest(t.tags) as g (tag) on true
           where t.workspace_id = $1 and t.agent_id = $2 and t.removed_at is null"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.tags, row.cases))
}

/// A stored case.
pub(crate) struct Case {
    pub id: TestCaseId,
    pub agent: AgentId,
    pub edition: i32,
    pub fields: CaseFields,
}

macro_rules! case {
    ($row:expr) => {{
        let row = $row;
        Case {
            id: row.id,
            agent: row.agent,
            edition: row.edition,
            fields: CaseFields {
                name: row.name,
                kind: row.kind,
                input: row.input,
                mood: row.mood,
                language: row.language,
                most_turns: row.most_turns,
                matcher: row.matcher,
                expected: row.expected,
                variables: row.variables.0,
                tool_checks: row.tool_checks.0,
                stubs: row.stubs.0,
                uses_tools: row.uses_tools,
                tags: row.tags,
                call: row.call,
            },
        }
    }};
}

macro_rules! case_in {
    ($which:tt, $tx:expr, $id:expr) => {
        sqlx::query!(
            r#"select id as "id: TestCaseId", agent_id as "agent: AgentId", edition, name, kind as "kind: CaseKind", input, mood, language,
                      most_turns, matcher as "matcher: Matcher", expected, variables as "variables: Json<BTreeMap<String, String>>",
                      tool_checks as "tool_checks: Json<Vec<ToolCheck>>", stubs as "stubs: Json<BTreeMap<String, String>>",
                      uses_tools, tags, call_id as "call: CallId"
               from test_cases where workspace_id = $1 and "# + $which,
            $tx.workspace_uuid(), $id
        )
    };
}

/// One case that was not removed. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: TestCaseId) -> Result<Case, AppError> {
    Ok(case!(case_in!("id = $2 and removed_at is null", tx, id.0).fetch_one(tx.conn()).await?))
}

/// The same, held against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: TestCaseId) -> Result<Case, AppError> {
    Ok(case!(case_in!("id = $2 and removed_at is null for update", tx, id.0).fetch_one(tx.conn()).await?))
}

/// All cases of an agent, by name.
pub(crate) async fn all(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<Case>, AppError> {
    let rows = case_in!("agent_id = $2 and removed_at is null order by name, id limit 500", tx, agent.0);
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(|row| case!(row)).collect())
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: TestCaseId,
    agent: AgentId,
    case: &CaseFields,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into test_cases (workspace_id, id, agent_id, name, kind, input, mood, language, most_turns, matcher, expected, variables,
                                 tool_checks, stubs, uses_tools, tags, call_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        tx.workspace_uuid(),
        id.0,
        agent.0,
        case.name,
        case.kind.as_str(),
        case.input,
        case.mood,
        case.language,
        case.most_turns,
        case.matcher.as_str(),
        case.expected,
        Json(&case.variables) as _,
        Json(&case.tool_checks) as _,
        Json(&case.stubs) as _,
        case.uses_tools,
        &case.tags,
        case.call.map(|id| id.0)
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

/// A change that results of before do not count for, or with `same` one that they count for.
pub(crate) async fn update(tx: &mut WriteTx, id: TestCaseId, case: &CaseFields, same: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update test_cases set name = $3, kind = $4, input = $5, mood = $6, language = $7, most_turns = $8, matcher = $9, expected = $10,
                variables = $11, tool_checks = $12, stubs = $13, uses_tools = $14, tags = $15,
                edition = edition + case when $16 then 0 else 1 end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        case.name,
        case.kind.as_str(),
        case.input,
        case.mood,
        case.language,
        case.most_turns,
        case.matcher.as_str(),
        case.expected,
        Json(&case.variables) as _,
        Json(&case.tool_checks) as _,
        Json(&case.stubs) as _,
        case.uses_tools,
        &case.tags,
        same
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

pub(crate) async fn remove(tx: &mut WriteTx, id: TestCaseId) -> Result<(), AppError> {
    sqlx::query!(
        "update test_cases set removed_at = now() where workspace_id = $1 and id = $2 and removed_at is null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether the cases of an agent have to pass before a version of its prompt goes to production.
pub(crate) async fn gates(tx: &mut ReadTx, agent: AgentId) -> Result<bool, AppError> {
    let kept = sqlx::query_scalar!(
        "select gates_production from test_suites where workspace_id = $1 and agent_id = $2",
        tx.workspace_uuid(),
        agent.0
    );
    Ok(kept.fetch_optional(tx.conn()).await?.unwrap_or_default())
}

pub(crate) async fn set_gates(tx: &mut WriteTx, agent: AgentId, gates: bool) -> Result<(), AppError> {
    sqlx::query!(
        "insert into test_suites (workspace_id, id, agent_id, gates_production) values ($1, $2, $3, $4)
         on conflict (workspace_id, agent_id) do update set gates_production = excluded.gates_production",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        agent.0,
        gates
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn same_name(error: sqlx::Error) -> AppError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint == Some("test_cases_name") {
        return AppError::invalid("name", "The agent has a case of this name already. Choose another one.");
    }
    error.into()
}
