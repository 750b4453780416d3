//! What people do with runs and errors.

use serde_json::json;

use super::store::{self, errors, one};
use crate::model::{CausePage, CauseQuery, CauseRow, GivenPassage, RunList, RunPage, RunQuery};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{ErrorCauseId, RunId};
use patchbay_shared::{AppError, Page};

/// Asked which passages of knowledge an agent was given in a run. Boot gives it: uses of tools stand above runs.
pub struct KnowledgeUsed(pub for<'a> fn(&'a mut ReadTx, RunId) -> HookFuture<'a, Vec<GivenPassage>>);

/// Rows on a page of a list.
const ROWS: usize = 50;
/// Runs that a run can be compared with.
const OTHERS: usize = 20;

pub(crate) async fn list(tx: &mut ReadTx, query: &RunQuery) -> Result<RunList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    Ok(RunList { page, agents: store::agents(tx, query.client.as_deref()).await? })
}

/// One run, beside another one where one is named. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: RunId, with: Option<RunId>) -> Result<RunPage, AppError> {
    let run = one::get(tx, id).await?;
    let with = match with.filter(|with| *with != id) {
        Some(with) => Some(one::get(tx, with).await?),
        None => None,
    };
    let causes = errors::of_run(tx, id).await?;
    let used = tx.services().hooks.get::<KnowledgeUsed>()?.0;
    let knowledge = used(tx, id).await?;
    let (again_of, again) = one::repeats(tx, id).await?;
    let (mut others, mut older, mut newer) = (Vec::new(), None, None);
    if let Some((agent, _)) = &run.agent {
        (older, newer) = one::neighbours(tx, id, *agent).await?;
        let query = RunQuery { agent: Some(agent.to_string()), ..RunQuery::default() };
        let found = store::list(tx, &query, OTHERS).await?;
        let other = found.rows.into_iter().filter(|row| row.id != id);
        others = other.map(|row| (row.id.to_string(), format!("{}, {}", row.title, row.started.text))).collect();
    }
    Ok(RunPage { run, with, again_of, again, causes, others, knowledge, older, newer })
}

pub(crate) async fn causes(tx: &mut ReadTx, query: &CauseQuery) -> Result<Page<CauseRow>, AppError> {
    errors::causes(tx, query, ROWS).await
}

/// One cause with the times that its error came. Errors: `NotFound`.
pub(crate) async fn cause_page(tx: &mut ReadTx, id: ErrorCauseId, cursor: Option<&str>) -> Result<CausePage, AppError> {
    let (cause, resolved) = errors::cause(tx, id).await?;
    let errors = errors::of_cause(tx, id, cursor, ROWS).await?;
    Ok(CausePage { cause, resolved, may_resolve: tx.scope().may(Action::ManageAgents), errors })
}

/// Says that a cause is mended, or that it is not. Saying it again changes nothing. Errors: `NotFound`.
pub(crate) async fn resolve(tx: &mut WriteTx, id: ErrorCauseId, resolved: bool) -> Result<(), AppError> {
    let (was, message) = errors::hold(tx, id).await?;
    if was == resolved {
        return Ok(());
    }
    errors::set_resolved(tx, id, resolved).await?;
    let state = |resolved: bool| json!({ "message": message, "resolved": resolved });
    tx.audit(Change {
        action: if resolved { "resolved" } else { "reopened" },
        entity: "error",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::Changed { before: state(was), after: state(resolved) },
    })
    .await?;
    tx.notify(Topic::list("errors"), None);
    Ok(())
}

/// Adds all errors that nobody has counted to their causes.
pub(crate) async fn count_errors(scope: &Scope) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(Action::ReadWorkshop).await?;
        let counted = errors::count(&mut tx).await?;
        // Another job has counted them, and open pages know it.
        if counted == 0 {
            return Ok(());
        }
        tx.notify(Topic::list("errors"), None);
        tx.commit().await?;
        if counted < errors::COUNTED {
            return Ok(());
        }
    }
}
