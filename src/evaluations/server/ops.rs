//! What people do with cases: make, change, remove, and say that they gate production.

use serde_json::json;

use super::store::{self, results, sources};
use super::{from_call, matching, running};
use crate::model::{
    CaseFields, CaseForm, CaseKind, CasePage, CaseQuery, CasesPage, GridQuery, MOST_CASES, Matcher, SuiteQuery,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_prompts::model::variables;
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{AgentId, TestCaseId};
use patchbay_shared::{AppError, Reason};
use patchbay_tools::server as tools;

/// Rows on a page of a list.
const ROWS: usize = 50;
/// Runs, and grids, that the page of the cases shows.
const LATEST: usize = 5;

/// An agent's suite. Errors: `NotFound`.
pub(crate) async fn page(scope: &Scope, agent: AgentId, query: &CaseQuery) -> Result<CasesPage, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let head = store::agent(&mut tx, agent).await?;
    let page = store::list(&mut tx, agent, query, ROWS).await?;
    let (tags, cases) = store::tags(&mut tx, agent).await?;
    let latest = store::runs::list(&mut tx, agent, &SuiteQuery::default(), LATEST).await?.rows;
    let grids = store::grids::list(&mut tx, agent, &GridQuery::default(), LATEST).await?.rows;
    let gates_production = store::gates(&mut tx, agent).await?;
    let choices = running::choices(&mut tx, agent).await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && head.is_active;
    Ok(CasesPage { agent: head, page, tags, cases, choices, latest, grids, gates_production, may_edit })
}

/// The form of a case: a present one, a new one, or one that is made from a call or another run. Errors: `NotFound`.
pub(crate) async fn case_page(
    tx: &mut ReadTx,
    agent: AgentId,
    id: Option<TestCaseId>,
    call: Option<&str>,
    run: Option<&str>,
) -> Result<CasePage, AppError> {
    let head = store::agent(tx, agent).await?;
    let tools: Vec<String> = tools::for_agent(tx, agent).await?.into_iter().map(|tool| tool.name).collect();
    let choices = running::choices(tx, agent).await?;
    let (mut form, replaced, results) = match (id, call, run) {
        (Some(id), ..) => {
            let case = store::get(tx, id).await?;
            if case.agent != agent {
                return Err(AppError::NotFound);
            }
            let form = case.fields.form(agent.to_string(), id.to_string());
            (form, Vec::new(), results::of_case(tx, id).await?)
        }
        (None, Some(call), _) => {
            let (form, replaced) = from_call::form(tx, agent, call.parse()?).await?;
            (form, replaced, Vec::new())
        }
        (None, None, Some(run)) => {
            let (form, replaced) = from_call::of_run(tx, agent, run.parse()?).await?;
            (form, replaced, Vec::new())
        }
        (None, None, None) => {
            let form = CaseForm {
                agent: agent.to_string(),
                kind: CaseKind::Message.as_str().to_owned(),
                matcher: Matcher::Contains.as_str().to_owned(),
                most_turns: "6".to_owned(),
                ..CaseForm::default()
            };
            (form, Vec::new(), Vec::new())
        }
    };
    if id.is_none()
        && let Some((prompt, version)) = choices.prompt.as_ref().map(|(id, _)| *id).zip(choices.spoken)
    {
        let (_, words) = prompts::words(tx, prompt, version).await?;
        form.variables = variables(&words).iter().map(|name| format!("{name} = ")).collect::<Vec<_>>().join("\n");
    }
    let may_edit = tx.scope().may(Action::ManageAgents) && head.is_active;
    Ok(CasePage { agent: head, form, replaced, tools, choices, results, may_edit })
}

/// Makes or changes a case. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save(tx: &mut WriteTx, form: &CaseForm) -> Result<TestCaseId, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let head = store::agent(tx.reading(), agent).await?;
    let fields = form.check()?;
    if fields.matcher == Matcher::Regex
        && let Err(why) = matching::pattern(&fields.expected)
    {
        return Err(AppError::invalid("expected", why));
    }
    if !head.is_active {
        return Err(deleted());
    }
    if form.id.is_empty() {
        let (_, cases) = store::tags(tx.reading(), agent).await?;
        if cases >= MOST_CASES {
            let why = format!("An agent has at most {MOST_CASES} cases. Remove one first.");
            return Err(AppError::Conflict(Reason::LimitReached, why));
        }
        if let Some(call) = fields.call {
            let found = sources::call(tx.reading(), call).await?;
            if found.agent != Some(agent.0) {
                return Err(AppError::NotFound);
            }
        }
        let id = TestCaseId::new();
        store::insert(tx, id, agent, &fields).await?;
        record(tx, "created", id, Fields::Created(shown(agent, &fields))).await?;
        notify(tx, agent);
        return Ok(id);
    }
    let id: TestCaseId = form.id.parse()?;
    let before = store::lock(tx, id).await?;
    if before.agent != agent {
        return Err(AppError::NotFound);
    }
    // Name and tags change nothing of what a result says.
    let renamed =
        CaseFields { name: fields.name.clone(), tags: fields.tags.clone(), call: fields.call, ..before.fields.clone() };
    let fields = CaseFields { call: before.fields.call, ..fields };
    let same = CaseFields { call: before.fields.call, ..renamed } == fields;
    store::update(tx, id, &fields, same).await?;
    let changed = Fields::Changed { before: shown(agent, &before.fields), after: shown(agent, &fields) };
    record(tx, "changed", id, changed).await?;
    notify(tx, agent);
    Ok(id)
}

fn deleted() -> AppError {
    AppError::Conflict(Reason::WrongState, "The agent is deleted. Restore it first.".to_owned())
}

/// What the audit log has of a case.
fn shown(agent: AgentId, case: &CaseFields) -> serde_json::Value {
    json!({
        "agent": agent, "name": case.name, "kind": case.kind, "input": case.input, "matcher": case.matcher, "expected": case.expected,
        "uses_tools": case.uses_tools, "tags": case.tags,
    })
}

/// Removes a case. Its results stay. Errors: `NotFound`.
pub(crate) async fn remove(tx: &mut WriteTx, agent: AgentId, id: TestCaseId) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    if before.agent != agent {
        return Err(AppError::NotFound);
    }
    store::remove(tx, id).await?;
    record(tx, "removed", id, Fields::Deleted(shown(agent, &before.fields))).await?;
    notify(tx, agent);
    Ok(())
}

/// Says whether all cases have to pass before a version goes to production. Errors: `NotFound`.
pub(crate) async fn set_gate(tx: &mut WriteTx, agent: AgentId, gates: bool) -> Result<(), AppError> {
    let head = store::agent(tx.reading(), agent).await?;
    if !head.is_active {
        return Err(deleted());
    }
    let before = store::gates(tx.reading(), agent).await?;
    store::set_gates(tx, agent, gates).await?;
    let side = |gates: bool| json!({"agent": head.name, "must_pass_before_production": gates});
    let fields = Fields::Changed { before: side(before), after: side(gates) };
    let change = Change { action: "changed", entity: "test_suite", entity_id: Some(agent.0), client_id: None, fields };
    tx.audit(change).await?;
    notify(tx, agent);
    Ok(())
}

async fn record(tx: &mut WriteTx, action: &str, id: TestCaseId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "test_case", entity_id: Some(id.0), client_id: None, fields }).await
}

pub(super) fn notify(tx: &mut WriteTx, agent: AgentId) {
    tx.notify(Topic::one("tests", agent), None);
}
