use leptos::prelude::*;

use super::model::approval::{ApprovalList, ApprovalPage, ApprovalQuery, DecisionForm};
use super::model::control::{ControlQuery, ControlRoom};
use super::model::job::{JobChoices, JobForm, JobList, JobPage, JobQuery};
use patchbay_shared::AppError;

/// The control room: what waits and runs, on which target, and what needs a person.
#[server(prefix = "/rpc", endpoint = "get_control_room")]
pub async fn get_control_room(#[server(default)] query: ControlQuery) -> Result<ControlRoom, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::views::control(&mut tx, &query).await
}

/// Jobs, newest first.
#[server(prefix = "/rpc", endpoint = "list_execution_jobs")]
pub async fn list_execution_jobs(#[server(default)] query: JobQuery) -> Result<JobList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::views::jobs(&mut tx, &query).await
}

/// One job; `attempt`: whose log is shown. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_execution_job")]
pub async fn get_execution_job(id: String, attempt: Option<i32>) -> Result<JobPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::views::job(&mut tx, id.parse()?, attempt).await
}

/// What a job can be made of by hand.
#[server(prefix = "/rpc", endpoint = "get_job_choices")]
pub async fn get_job_choices(#[server(default)] form: JobForm) -> Result<JobChoices, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageExecution).await?;
    server::manual::choices(&mut tx, form).await
}

/// Makes a job, and leads to it. The same form again is the same job. Errors: `Invalid`; `Conflict` with the reason why nothing runs.
#[server(prefix = "/rpc", endpoint = "run_execution_job")]
pub async fn run_execution_job(#[server(flatten)] form: JobForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    let id = server::manual::run(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/jobs/{id}"));
    Ok(())
}

/// Really ends what a job does, then the job. Safe to repeat: one that has ended stays as it is. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "cancel_execution_job")]
pub async fn cancel_execution_job(id: String, back: Option<String>) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::jobs::cancel(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place_back(back.as_deref(), &format!("/jobs/{id}")));
    Ok(())
}

/// Tries a job that has ended once more, with so much memory if it is given. Errors: `Invalid`, `NotFound`; `Conflict` when it has not ended.
#[server(prefix = "/rpc", endpoint = "requeue_execution_job")]
pub async fn requeue_execution_job(
    id: String,
    memory_mb: Option<String>,
    target: Option<String>,
    back: Option<String>,
) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let memory = server::views::memory(memory_mb.as_deref())?;
    let target = target.filter(|target| !target.is_empty()).map(|target| target.parse()).transpose()?;
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::jobs::requeue(&mut tx, id.parse()?, memory, target).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place_back(back.as_deref(), &format!("/jobs/{id}")));
    Ok(())
}

/// Has a job that waits start on another target. Errors: `NotFound`; `Conflict` when it runs or has ended.
#[server(prefix = "/rpc", endpoint = "move_execution_job")]
pub async fn move_execution_job(id: String, target: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    let target = target.parse().map_err(|_| AppError::invalid("target", "Choose a target from the list."))?;
    server::jobs::move_to(&mut tx, id.parse()?, target).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/jobs/{id}"));
    Ok(())
}

/// Has one job try now whether an engine works on a target again. Errors: `NotFound`; `Conflict` when the circuit is closed.
#[server(prefix = "/rpc", endpoint = "probe_circuit")]
pub async fn probe_circuit(circuit: String, back: Option<String>) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::jobs::probe_now(&mut tx, circuit.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place_back(back.as_deref(), "/execution"));
    Ok(())
}

/// Moves what waits for a circuit to another target. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "move_waiting_jobs")]
pub async fn move_waiting_jobs(circuit: String, target: String, back: Option<String>) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::desk::move_waiting(&mut tx, circuit.parse()?, target.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place_back(back.as_deref(), "/execution"));
    Ok(())
}

/// No new job starts on any target (`on` given), or all take work again. What runs goes on.
#[server(prefix = "/rpc", endpoint = "hold_execution")]
pub async fn hold_execution(on: Option<String>, back: Option<String>) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageExecution).await?;
    server::desk::hold_all(&mut tx, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place_back(back.as_deref(), "/execution"));
    Ok(())
}

/// Approvals: those that are open, or decided ones. A client's admin reads those that a rule gives to the client.
#[server(prefix = "/rpc", endpoint = "list_approvals")]
pub async fn list_approvals(#[server(default)] query: ApprovalQuery) -> Result<ApprovalList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadApprovals).await?;
    server::views::approvals(&mut tx, &query).await
}

/// One approval. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_approval")]
pub async fn get_approval(id: String) -> Result<ApprovalPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadApprovals).await?;
    server::desk::approval(&mut tx, id.parse()?).await
}

/// Notes that somebody is about to decide, which the others see. `edit`: on the way to change what is done. Errors: `NotFound`; `Conflict`
/// when it is decided or over, and without `edit` when somebody else has it open.
#[server(prefix = "/rpc", endpoint = "take_approval")]
pub async fn take_approval(id: String, edit: Option<String>, back: Option<String>) -> Result<(), AppError> {
    use super::{model::approval::place_back, server};
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DecideApprovals).await?;
    server::desk::take(&mut tx, id.parse()?, edit.is_some()).await?;
    tx.commit().await?;
    let place = place_back(back.as_deref(), &format!("/approvals/{id}"));
    leptos_axum::redirect(&if edit.is_some() { format!("/approvals/{id}?edit=true") } else { place });
    Ok(())
}

/// Approves, approves with changes, or rejects. Errors: `Invalid`, `NotFound`; `Conflict` that says who decided before, or that it is over.
#[server(prefix = "/rpc", endpoint = "decide_approval")]
pub async fn decide_approval(#[server(flatten)] form: DecisionForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::DecideApprovals).await?;
    server::desk::decide(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&form.place());
    Ok(())
}
