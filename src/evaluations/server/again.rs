//! Running a run of a test again: the same case, the same version of the prompt, the same model.

use super::running;
use super::store::{
    self,
    again::{self, Before, Test},
    sources,
};
use crate::model::{AgainPage, RunForm};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::ids::{RunId, SuiteRunId};
use patchbay_shared::{AppError, Reason};

/// What would be run again, or why it cannot be. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, run: RunId) -> Result<AgainPage, AppError> {
    let before = again::before(tx, run).await?;
    let found = repeated(tx, &before).await?;
    let facts = match &before.test {
        Some(test) => vec![
            ("Case".to_owned(), test.case_name.clone()),
            ("Prompt version".to_owned(), format!("v{}", test.version)),
            ("Account".to_owned(), test.account.clone()),
            ("Model".to_owned(), test.model.clone()),
        ],
        None => Vec::new(),
    };
    let next = match (&found, &before.test, before.agent) {
        (Ok(_), ..) | (.., None) => None,
        (Err(_), Some(test), Some(agent)) if !test.is_removed => {
            Some((format!("/agents/{agent}/tests/{}", test.case), "The case".to_owned()))
        }
        (Err(_), _, Some(agent)) => {
            Some((format!("/agents/{agent}/tests/new?run={run}"), "Make a test case of it".to_owned()))
        }
    };
    let (why_not, budget) = match found {
        Ok(form) => (None, form.budget),
        Err(why) => (Some(why), String::new()),
    };
    Ok(AgainPage { run, title: before.title, facts, budget, why_not, next })
}

/// Starts it. Errors: `NotFound`; `Invalid` at the budget; `Conflict` with the reason why not.
pub(crate) async fn start(scope: &Scope, run: RunId, budget: &str) -> Result<SuiteRunId, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let before = again::before(tx.reading(), run).await?;
    let found = repeated(tx.reading(), &before).await?;
    drop(tx);
    let form = found.map_err(|why| AppError::Conflict(Reason::WrongState, why))?;
    let budget = if budget.trim().is_empty() { form.budget.clone() } else { budget.to_owned() };
    running::start_again(scope, &RunForm { budget, ..form }, Some(run)).await
}

/// The form that starts the same again. Errors: why it cannot be.
async fn repeated(tx: &mut ReadTx, before: &Before) -> Result<Result<RunForm, String>, AppError> {
    let refused = |why: &str| Ok(Err(why.to_owned()));
    if before.is_call {
        return refused(
            "A call cannot be run again: it would call somebody, and nobody says the same twice. Make a test case of it, and run that.",
        );
    }
    let (Some(agent), Some(test)) = (before.agent, &before.test) else {
        return refused(
            "Only a test is run again here. What a schedule or a trigger has set off is set off again from there.",
        );
    };
    if before.is_running {
        return refused("It still goes on. Wait for its end.");
    }
    let Test { case, version, connection, model, budget, .. } = test;
    if test.is_removed {
        return refused("Its case was removed, so nothing says what the caller says. Make a test case of the run.");
    }
    if !test.is_same {
        return refused("Its case was changed since, so it would not be the same again. Run the case as it is now.");
    }
    if !store::agent(tx, agent).await?.is_active {
        return refused("The agent was deactivated or deleted.");
    }
    if sources::versions(tx, agent).await?.is_none_or(|now| now.prompt != test.prompt) {
        return refused("The agent has another prompt now. Run the case with that.");
    }
    Ok(Ok(RunForm {
        agent: agent.to_string(),
        version: version.to_string(),
        account: connection.to_string(),
        model: model.clone(),
        case: case.to_string(),
        budget: budget.to_string(),
        ..RunForm::default()
    }))
}
