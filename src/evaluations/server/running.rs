//! Starting and stopping runs of a suite, and what their pages show.

use serde_json::json;

use super::jobs::RunSuite;
use super::ops::notify;
use super::store::{self, grids as grid_store, results, runs, sources};
use super::{gate, grids, store::runs::NewSuiteRun};
use crate::model::{RunChoices, RunForm, SuiteList, SuitePage, SuiteQuery, SuiteStatus};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_connections::server::models as accounts;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_shared::ids::{AgentId, RunId, SuiteRunId, TestCaseId};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// Rows on a page of the list.
const ROWS: usize = 50;
/// Runs that a run can be compared with.
const OTHERS: usize = 20;

/// What a run of an agent's cases can be made with.
pub(crate) async fn choices(tx: &mut ReadTx, agent: AgentId) -> Result<RunChoices, AppError> {
    let found = sources::versions(tx, agent).await?;
    let accounts = accounts::list(tx).await?;
    let usual = models::in_use(tx, Purpose::Agent, Some(agent)).await?;
    let name = |id| accounts.iter().find(|account| account.id == id).map(|account| account.name.clone());
    let usual = usual.map(|(account, model)| (name(account).unwrap_or_default(), model));
    let listed = accounts.iter().filter(|account| account.is_on);
    let accounts = listed.map(|account| (account.id.to_string(), account.name.clone())).collect();
    let (prompt, versions) = match found {
        Some(found) => (Some((found.prompt, found.name)), found.versions),
        None => (None, Vec::new()),
    };
    let labelled = versions.iter().find(|(_, labels)| labels.iter().any(|label| label == "production"));
    let spoken = labelled.or(versions.first()).map(|(version, _)| *version);
    Ok(RunChoices { prompt, versions, spoken, accounts, usual })
}

/// Starts a run and gives it; the same that goes on is given again. Errors: `Invalid` at the field, `Conflict` with the next step.
pub(crate) async fn start(scope: &Scope, form: &RunForm) -> Result<SuiteRunId, AppError> {
    start_again(scope, form, None).await
}

/// The same, of one case, as it was in a run `before`.
pub(crate) async fn start_again(scope: &Scope, form: &RunForm, before: Option<RunId>) -> Result<SuiteRunId, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let new = form.check()?;
    let mut tx = scope.write(Action::ManageAgents).await?;
    let head = store::agent(tx.reading(), agent).await?;
    if !head.is_active {
        return Err(AppError::Conflict(Reason::WrongState, "The agent is deleted. Restore it first.".to_owned()));
    }
    if workspaces::is_suspended(tx.reading()).await? {
        let why = "The agency’s account is suspended: no model is asked until it is active again.";
        return Err(AppError::Conflict(Reason::Suspended, why.to_owned()));
    }
    let choices = choices(tx.reading(), agent).await?;
    let Some((prompt, _)) = choices.prompt else {
        return Err(AppError::Conflict(
            Reason::NotReady,
            "The agent has no prompt yet. Give it one, then run its cases.".to_owned(),
        ));
    };
    let version = new.version.or(choices.spoken).unwrap_or_default();
    if !choices.versions.iter().any(|(known, _)| *known == version) {
        return Err(AppError::invalid("version", "The prompt has no such version. Choose one from the list."));
    }
    let usual = models::in_use(tx.reading(), Purpose::Agent, Some(agent)).await?;
    let (connection, model) = match new.chosen.clone().or(usual.clone()) {
        Some(chosen) => chosen,
        None => return Err(models::not_set_up()),
    };
    if !choices.accounts.iter().any(|(id, _)| *id == connection.to_string()) {
        return Err(AppError::invalid("account", "Choose an account from the list that is switched on."));
    }
    let mut cases = store::all(tx.reading(), agent).await?;
    let all = cases.len();
    cases.retain(|case| {
        new.case.is_none_or(|id| case.id == id) && new.tag.as_ref().is_none_or(|tag| case.fields.tags.contains(tag))
    });
    if cases.is_empty() {
        return match (new.case, &new.tag) {
            (Some(_), _) => Err(AppError::NotFound),
            (None, Some(_)) => Err(AppError::invalid("tag", "No case has this tag. Choose another one.")),
            (None, None) => {
                Err(AppError::Conflict(Reason::NotReady, "The agent has no cases yet. Add the first one.".to_owned()))
            }
        };
    }
    let id = SuiteRunId::new();
    let is_usual = usual.as_ref() == Some(&(connection, model.clone()));
    let row = NewSuiteRun {
        id,
        agent,
        prompt,
        version,
        connection,
        model: &model,
        is_usual,
        is_whole: cases.len() == all,
        budget: new.budget,
        grid: None,
    };
    let Some(number) = runs::insert(&mut tx, &row).await? else {
        let known = runs::going_on(tx.reading(), agent, version, connection, &model).await?;
        if let Some((known, number)) = known {
            // Asked for twice is one run; asked for other cases is another one.
            let mut asked: Vec<TestCaseId> = cases.iter().map(|case| case.id).collect();
            asked.sort_unstable();
            let is_same = match before {
                Some(before) => store::again::repeats(tx.reading(), known, before).await?,
                None => true,
            };
            if is_same && results::cases(tx.reading(), known).await? == asked {
                return Ok(known);
            }
            let why = format!("Run {number} with the same version and model goes on. Wait for its end, or stop it.");
            return Err(AppError::Conflict(Reason::WrongState, why));
        }
        // Two runs that were asked for in the same moment want the same number; one of them has it.
        let why = "Another run was started in the same moment. Try again.";
        return Err(AppError::Conflict(Reason::StalePage, why.to_owned()));
    };
    results::insert(&mut tx, id, &cases, 1).await?;
    if let Some(before) = before
        && !store::again::link(&mut tx, id, before).await?
    {
        let why = "The case or the prompt was changed in the meantime, so it would not be the same again. Run the case as it is now.";
        return Err(AppError::Conflict(Reason::StalePage, why.to_owned()));
    }
    enqueue(&mut tx, &RunSuite { run: id }, NewJob::default()).await?;
    let facts = json!({
        "agent": head.name, "number": number, "version": version, "model": model, "cases": cases.len(), "budget": new.budget,
    });
    record(&mut tx, "started", id, Fields::Created(facts)).await?;
    notify(&mut tx, agent);
    tx.commit().await?;
    Ok(id)
}

/// Stops a run: what has not begun does not begin, and what goes on asks nothing more. Errors: `NotFound`.
pub(crate) async fn stop(tx: &mut WriteTx, id: SuiteRunId) -> Result<(), AppError> {
    grid_store::lock_of_run(tx, id).await?;
    let run = runs::lock(tx, id).await?;
    if run.status != SuiteStatus::Running {
        return Ok(());
    }
    end(tx, id, &run, SuiteStatus::Stopped, Some("Somebody stopped it.")).await?;
    // Whatever a lost worker had begun is left out, too.
    enqueue(tx, &RunSuite { run: id }, NewJob::default()).await
}

/// Ends a run that goes on, and with the last cell of a grid the grid, which is held already.
pub(super) async fn end(
    tx: &mut WriteTx,
    id: SuiteRunId,
    run: &runs::Work,
    status: SuiteStatus,
    note: Option<&str>,
) -> Result<(), AppError> {
    end_alone(tx, id, run, status, note).await?;
    match run.grid {
        Some(grid) => grids::settle(tx, grid).await,
        None => Ok(()),
    }
}

/// Ends a run that goes on, whatever it is a cell of.
pub(super) async fn end_alone(
    tx: &mut WriteTx,
    id: SuiteRunId,
    run: &runs::Work,
    status: SuiteStatus,
    note: Option<&str>,
) -> Result<(), AppError> {
    if !runs::end(tx, id, status, note).await? {
        return Ok(());
    }
    results::leave_out(tx, id).await?;
    let side = |status: SuiteStatus| json!({"number": run.number, "status": status});
    let fields = Fields::Changed { before: side(SuiteStatus::Running), after: side(status) };
    record(tx, if status == SuiteStatus::Stopped { "stopped" } else { "ended" }, id, fields).await?;
    tx.notify(Topic::one("suite_run", id), None);
    notify(tx, run.agent);
    Ok(())
}

async fn record(tx: &mut WriteTx, action: &str, id: SuiteRunId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "suite_run", entity_id: Some(id.0), client_id: None, fields }).await
}

/// Runs of an agent's cases. Errors: `NotFound`.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId, query: &SuiteQuery) -> Result<SuiteList, AppError> {
    Ok(SuiteList { agent: store::agent(tx, agent).await?, page: runs::list(tx, agent, query, ROWS).await? })
}

/// One run; `with`: beside another one of the same agent; `shown`: with one of its results. Errors: `NotFound`.
pub(crate) async fn page(
    tx: &mut ReadTx,
    id: SuiteRunId,
    with: Option<&str>,
    shown: Option<&str>,
) -> Result<SuitePage, AppError> {
    let run = runs::get(tx, id).await?;
    let found = results::of_run(tx, id).await?;
    let other = match with {
        Some(other) => {
            let other: SuiteRunId = other.parse()?;
            let compared = runs::get(tx, other).await?;
            if compared.agent != run.agent {
                return Err(AppError::NotFound);
            }
            Some((compared, results::of_run(tx, other).await?))
        }
        None => None,
    };
    let shown = match shown {
        Some(one) => {
            let detail = results::detail(tx, one.parse()?).await?;
            let known = detail.row.run == id || other.as_ref().is_some_and(|(other, _)| other.row.id == detail.row.run);
            Some(known.then_some(detail).ok_or(AppError::NotFound)?)
        }
        None => None,
    };
    let mut others = runs::list(tx, run.agent, &SuiteQuery::default(), OTHERS).await?.rows;
    others.retain(|other| other.id != id);
    let agent = store::agent(tx, run.agent).await?;
    let gates_production = store::gates(tx, run.agent).await?;
    let is_there = run.labels.iter().any(|label| label == "production");
    let gate = match gates_production && !is_there {
        true => gate::reason(tx, run.prompt.0, run.row.version).await?,
        false => None,
    };
    let may_edit = tx.scope().may(Action::ManageAgents) && agent.is_active;
    Ok(SuitePage { agent, run, results: found, other, others, shown, gate, gates_production, may_edit })
}
