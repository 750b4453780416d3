use leptos::prelude::*;

use super::model::{
    ListQuery, NewSecret, ScheduleForm, SchedulePage, SchedulesPage, TriggerForm, TriggerPage, TriggersPage,
};
use patchbay_shared::AppError;

/// Schedules of an agent. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_agent_schedules")]
pub async fn list_agent_schedules(
    agent: String,
    #[server(default)] query: ListQuery,
) -> Result<SchedulesPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::schedules::list(&mut tx, agent.parse()?, &query).await
}

/// One schedule, or what a new one begins with; `times` as `save_agent_schedule` leads there. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_agent_schedule")]
pub async fn get_agent_schedule(
    agent: String,
    id: Option<String>,
    times: Option<String>,
) -> Result<SchedulePage, AppError> {
    use super::server;
    use patchbay_access::server::visitor;
    let id = id.map(|id| id.parse()).transpose()?;
    server::schedules::page(&visitor()?, agent.parse()?, id, times.as_deref()).await
}

/// Makes or changes a schedule, or shows its times first. Errors: `Invalid`, `NotFound`; `Conflict` with the next step.
#[server(prefix = "/rpc", endpoint = "save_agent_schedule")]
pub async fn save_agent_schedule(#[server(flatten)] form: ScheduleForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::visitor;
    let place = server::schedules::save(&visitor()?, &form).await?;
    leptos_axum::redirect(&place);
    Ok(())
}

/// Switches a schedule on (`on` given) or off. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "switch_agent_schedule")]
pub async fn switch_agent_schedule(agent: String, id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::schedules::switch(&mut tx, agent.parse()?, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/schedules/{id}"));
    Ok(())
}

/// Runs a schedule's agent at once, and leads to the run. Errors: `NotFound`; `Conflict` with the reason why nothing runs.
#[server(prefix = "/rpc", endpoint = "run_agent_schedule")]
pub async fn run_agent_schedule(agent: String, id: String, key: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    let key = key.map(|key| key.parse()).transpose()?;
    let run = server::schedules::run_now(&mut tx, agent.parse()?, id.parse()?, key).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/runs/{run}"));
    Ok(())
}

/// Removes a schedule; its runs stay. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_agent_schedule")]
pub async fn remove_agent_schedule(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::schedules::remove(&mut tx, agent.parse()?, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/schedules"));
    Ok(())
}

/// Triggers of an agent. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_agent_triggers")]
pub async fn list_agent_triggers(agent: String, #[server(default)] query: ListQuery) -> Result<TriggersPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::triggers::list(&mut tx, agent.parse()?, &query).await
}

/// One trigger. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_agent_trigger")]
pub async fn get_agent_trigger(agent: String, id: String) -> Result<TriggerPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::triggers::page(&mut tx, agent.parse()?, id.parse()?).await
}

/// Makes a trigger, whose secret its page shows once, or renames one. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_agent_trigger")]
pub async fn save_agent_trigger(#[server(flatten)] form: TriggerForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::visitor;
    let visitor = visitor()?;
    match server::triggers::save(&visitor.scope()?, &form).await? {
        Some(new) => server::triggers::show(&visitor, &new).await,
        None => {
            leptos_axum::redirect(&format!("/agents/{}/triggers/{}", form.agent, form.id));
            Ok(())
        }
    }
}

/// Gives a trigger another secret, which its page shows once; the present one goes on for a day. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "rotate_agent_trigger")]
pub async fn rotate_agent_trigger(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::visitor;
    let visitor = visitor()?;
    let new = server::triggers::rotate(&visitor.scope()?, agent.parse()?, id.parse()?).await?;
    server::triggers::show(&visitor, &new).await
}

/// Switches a trigger on (`on` given) or off. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "switch_agent_trigger")]
pub async fn switch_agent_trigger(agent: String, id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::triggers::switch(&mut tx, agent.parse()?, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/triggers/{id}"));
    Ok(())
}

/// Removes a trigger; its runs stay. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_agent_trigger")]
pub async fn remove_agent_trigger(agent: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageAgents).await?;
    server::triggers::remove(&mut tx, agent.parse()?, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/agents/{agent}/triggers"));
    Ok(())
}

/// The secret that the viewer has just made, this once.
#[server(prefix = "/rpc", endpoint = "take_trigger_secret")]
pub async fn take_trigger_secret() -> Result<Option<NewSecret>, AppError> {
    super::server::triggers::take(&patchbay_access::server::visitor()?).await
}
