//! Grids: what their form says, starting, stopping and ending them, and what their pages show.

use std::collections::BTreeMap;

use serde_json::json;

use super::jobs::RunSuite;
use super::ops::notify;
use super::store::grids::NewTestGrid;
use super::store::runs::NewSuiteRun;
use super::store::{self, Case, grids as kept, results, runs};
use super::{estimate, running};
use crate::model::{
    GridForm, GridFormPage, GridList, GridPage, GridQuery, NewGrid, RunChoices, SuiteStatus, USUAL_GRID_BUDGET,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_connections::server::models as accounts;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue_all};
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_shared::ids::{AgentId, ConnectionId, PromptId, SuiteRunId, TestGridId};
use patchbay_shared::{AppError, FieldErrors, Money, Reason};
use patchbay_tools::model::AgentHead;
use patchbay_ui::address::query_string;
use patchbay_workspaces::server as workspaces;

/// Rows on a page of the list.
const ROWS: usize = 50;

/// A form whose choices are there now.
struct Ready {
    new: NewGrid,
    prompt: PromptId,
    cases: Vec<Case>,
    is_whole: bool,
}

/// Errors: `Invalid` at the field; `Conflict` with the next step.
async fn ready(tx: &mut ReadTx, head: &AgentHead, choices: &RunChoices, form: &GridForm) -> Result<Ready, AppError> {
    if !head.is_active {
        return Err(AppError::Conflict(Reason::WrongState, "The agent is deleted. Restore it first.".to_owned()));
    }
    if workspaces::is_suspended(tx).await? {
        let why = "The agency’s account is suspended: no model is asked until it is active again.";
        return Err(AppError::Conflict(Reason::Suspended, why.to_owned()));
    }
    let Some((prompt, _)) = choices.prompt else {
        let why = "The agent has no prompt yet. Give it one, then run its cases.";
        return Err(AppError::Conflict(Reason::NotReady, why.to_owned()));
    };
    let mut cases = store::all(tx, head.id).await?;
    if cases.is_empty() {
        let why = "The agent has no cases yet. Add the first one.";
        return Err(AppError::Conflict(Reason::NotReady, why.to_owned()));
    }
    let new = form.check()?;
    let mut errors = FieldErrors::default();
    for (at, version) in &new.versions {
        if !choices.versions.iter().any(|(known, _)| known == version) {
            errors.add(&format!("version_{at}"), "The prompt has no such version. Choose one from the list.");
        }
    }
    for (at, account, _) in &new.models {
        if !choices.accounts.iter().any(|(id, _)| *id == account.to_string()) {
            errors.add(&format!("account_{at}"), "Choose an account from the list that is switched on.");
        }
    }
    let all = cases.len();
    cases.retain(|case| new.tag.as_ref().is_none_or(|tag| case.fields.tags.contains(tag)));
    if cases.is_empty() {
        errors.add("tag", "No case has this tag. Choose another one.");
    }
    errors.check()?;
    new.check_size(cases.len())?;
    if let Some((most, model)) = estimate::dearest_answer(tx, prompt, &new, &cases).await?
        && most.0 > new.budget
    {
        let cents = most.0.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::AwayFromZero);
        let why = format!(
            "One answer of {model} may cost up to {}, and as much is set aside before it is asked. Enter at least {}.",
            most.text(),
            Money(cents).text()
        );
        return Err(AppError::invalid("budget", why));
    }
    let is_whole = cases.len() == all;
    Ok(Ready { new, prompt, cases, is_whole })
}

/// The form, with what stands in the address, and what that would cost. Errors: `NotFound`.
pub(crate) async fn form(tx: &mut ReadTx, agent: AgentId, asked: &GridForm) -> Result<GridFormPage, AppError> {
    let head = store::agent(tx, agent).await?;
    let choices = running::choices(tx, agent).await?;
    let (tags, cases) = store::tags(tx, agent).await?;
    let is_fresh = asked.is_empty();
    let usual = models::in_use(tx, Purpose::Agent, Some(agent)).await?;
    let mut form = GridForm { agent: agent.to_string(), look: None, ..asked.clone() };
    if is_fresh {
        form.version_1 = choices.spoken.map(|version| version.to_string()).unwrap_or_default();
        let newest = choices.versions.first().map(|(version, _)| *version).filter(|one| Some(*one) != choices.spoken);
        form.version_2 = newest.map(|version| version.to_string()).unwrap_or_default();
        if let Some((account, model)) = &usual {
            (form.account_1, form.model_1) = (account.to_string(), model.clone());
        }
    }
    for (field, usual) in [(&mut form.repeats, "1"), (&mut form.budget, USUAL_GRID_BUDGET)] {
        if field.trim().is_empty() {
            *field = usual.to_owned();
        }
    }
    let (estimate, problems) = match ready(tx, &head, &choices, &form).await {
        Ok(found) => {
            let known = accounts::list(tx).await?.into_iter();
            let names: BTreeMap<ConnectionId, String> = known.map(|account| (account.id, account.name)).collect();
            (Some(estimate::of(tx, found.prompt, &found.new, &found.cases, &names).await?), FieldErrors::default())
        }
        // Nobody has typed anything yet.
        Err(AppError::Invalid(_)) if is_fresh => (None, FieldErrors::default()),
        Err(AppError::Invalid(problems)) => (None, problems),
        // The page says what is missing.
        Err(AppError::Conflict(..)) => (None, FieldErrors::default()),
        Err(other) => return Err(other),
    };
    let mut models = kept::tested_models(tx, agent).await?;
    models.extend(usual.map(|(_, model)| model));
    models.sort_unstable();
    models.dedup();
    Ok(GridFormPage { agent: head, choices, tags, cases, form, models, estimate, problems })
}

/// Looks at the form, and gives the address of its page that says what it would cost. Errors: as `start`.
pub(crate) async fn look(tx: &mut ReadTx, form: &GridForm) -> Result<String, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let head = store::agent(tx, agent).await?;
    let choices = running::choices(tx, agent).await?;
    let found = ready(tx, &head, &choices, form).await?;
    Ok(format!("/agents/{agent}/tests/grid{}", query_string(&found.new.pairs())))
}

/// Starts a grid and gives it; the same that goes on is given again. All of its cells are made, or none. Errors: `Invalid` at the field,
/// `Conflict` with the next step.
pub(crate) async fn start(scope: &Scope, form: &GridForm) -> Result<TestGridId, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let mut tx = scope.write(Action::ManageAgents).await?;
    let head = store::agent(tx.reading(), agent).await?;
    let choices = running::choices(tx.reading(), agent).await?;
    let Ready { new, prompt, cases, is_whole } = ready(tx.reading(), &head, &choices, form).await?;
    let usual = models::in_use(tx.reading(), Purpose::Agent, Some(agent)).await?;
    let id = TestGridId::new();
    let asked = query_string(&new.pairs());
    let row = NewTestGrid { id, agent, prompt, choices: &asked, repeats: new.repeats, budget: new.budget };
    let same_moment = || {
        let why = "Another run was started in the same moment. Try again.";
        AppError::Conflict(Reason::StalePage, why.to_owned())
    };
    let Some(number) = kept::insert(&mut tx, &row).await? else {
        let (known, number, is_same) = kept::going_on(tx.reading(), &row, &cases).await?.ok_or_else(same_moment)?;
        let why = format!(
            "Grid {number} with the same choices goes on with other cases or another prompt. Wait for its end, or stop it."
        );
        return if is_same { Ok(known) } else { Err(AppError::Conflict(Reason::WrongState, why)) };
    };
    let mut jobs: Vec<RunSuite> = Vec::new();
    for (_, version) in &new.versions {
        for (_, connection, model) in &new.models {
            let run = SuiteRunId::new();
            let cell = NewSuiteRun {
                id: run,
                agent,
                prompt,
                version: *version,
                connection: *connection,
                model,
                is_usual: usual.as_ref() == Some(&(*connection, model.clone())),
                is_whole,
                budget: new.budget,
                grid: Some(id),
            };
            runs::insert(&mut tx, &cell).await?.ok_or_else(same_moment)?;
            results::insert(&mut tx, run, &cases, new.repeats).await?;
            jobs.push(RunSuite { run });
        }
    }
    enqueue_all(&mut tx, jobs.iter().map(|job| (job, NewJob::default()))).await?;
    let versions: Vec<i32> = new.versions.iter().map(|(_, version)| *version).collect();
    let models: Vec<&String> = new.models.iter().map(|(.., model)| model).collect();
    let facts = json!({
        "agent": head.name, "number": number, "versions": versions, "models": models, "cases": cases.len(), "repeats": new.repeats,
        "budget": new.budget,
    });
    record(&mut tx, "started", id, Fields::Created(facts)).await?;
    notify(&mut tx, agent);
    tx.commit().await?;
    Ok(id)
}

/// Stops all cells of a grid. Errors: `NotFound`.
pub(crate) async fn stop(tx: &mut WriteTx, id: TestGridId) -> Result<(), AppError> {
    let held = kept::lock(tx, id).await?;
    if held.status != SuiteStatus::Running {
        return Ok(());
    }
    let mut jobs: Vec<RunSuite> = Vec::new();
    for (run, _) in kept::states(tx.reading(), id).await? {
        let cell = runs::lock(tx, run).await?;
        if cell.status == SuiteStatus::Running {
            running::end_alone(tx, run, &cell, SuiteStatus::Stopped, Some("Somebody stopped the grid.")).await?;
            // Whatever a lost worker had begun is left out, too.
            jobs.push(RunSuite { run });
        }
    }
    enqueue_all(tx, jobs.iter().map(|job| (job, NewJob::default()))).await?;
    end(tx, &held, SuiteStatus::Stopped).await
}

/// A cell of the grid has ended: with the last one the grid ends, too. The grid is held already.
pub(super) async fn settle(tx: &mut WriteTx, id: TestGridId) -> Result<(), AppError> {
    let states = kept::states(tx.reading(), id).await?;
    let has = |status: SuiteStatus| states.iter().any(|(_, known)| *known == status);
    tx.notify(Topic::one("test_grid", id), None);
    if has(SuiteStatus::Running) {
        return Ok(());
    }
    let worst = [SuiteStatus::OverBudget, SuiteStatus::Failed, SuiteStatus::Stopped];
    let status = worst.into_iter().find(|status| has(*status)).unwrap_or(SuiteStatus::Done);
    let held = kept::lock(tx, id).await?;
    end(tx, &held, status).await
}

async fn end(tx: &mut WriteTx, held: &kept::Held, status: SuiteStatus) -> Result<(), AppError> {
    if !kept::end(tx, held.id, status).await? {
        return Ok(());
    }
    let side = |status: SuiteStatus| json!({"number": held.number, "status": status});
    let fields = Fields::Changed { before: side(SuiteStatus::Running), after: side(status) };
    record(tx, if status == SuiteStatus::Stopped { "stopped" } else { "ended" }, held.id, fields).await?;
    tx.notify(Topic::one("test_grid", held.id), None);
    notify(tx, held.agent);
    Ok(())
}

async fn record(tx: &mut WriteTx, action: &str, id: TestGridId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "test_grid", entity_id: Some(id.0), client_id: None, fields }).await
}

/// Grids of an agent. Errors: `NotFound`.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId, query: &GridQuery) -> Result<GridList, AppError> {
    let head = store::agent(tx, agent).await?;
    let page = kept::list(tx, agent, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && head.is_active;
    Ok(GridList { agent: head, page, may_edit })
}

/// One grid. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: TestGridId) -> Result<GridPage, AppError> {
    let found = kept::get(tx, id).await?;
    let agent = store::agent(tx, found.agent).await?;
    let cells = kept::cells(tx, id).await?;
    let cases = kept::cases(tx, id, &cells).await?;
    let purse = kept::purse(tx, id, None).await?;
    let gates_production = store::gates(tx, found.agent).await?;
    let usual = running::choices(tx, found.agent).await?.usual;
    let may_edit = tx.scope().may(Action::ManageAgents) && agent.is_active;
    Ok(GridPage {
        again: format!("/agents/{}/tests/grid{}", found.agent, found.choices),
        agent,
        row: found.row,
        prompt: found.prompt,
        ended: found.ended,
        set_aside: Money(purse.set_aside),
        cells,
        cases,
        gates_production,
        usual: usual.map(|(account, model)| format!("{model} ({account})")),
        may_edit,
    })
}
