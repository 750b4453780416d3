use leptos::prelude::*;

use super::model::form::{AskForm, CaseForm, TeamForm};
use super::model::views::{
    LimitsPage, MembersPage, NewTeamPage, PlaygroundHead, PlaygroundPage, SupervisorComparePage, SupervisorRunList,
    SupervisorRunPage, SupervisorRunQuery, TeamCasePage, TeamCaseQuery, TeamCasesPage, TeamList, TeamQuery,
    TeamVersionQuery, TeamVersionsPage,
};
use patchbay_shared::AppError;

/// The agency's teams.
#[server(prefix = "/rpc", endpoint = "list_teams")]
pub async fn list_teams(#[server(default)] query: TeamQuery) -> Result<TeamList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::list(&mut tx, &query).await
}

/// What the form of a new team chooses from.
#[server(prefix = "/rpc", endpoint = "get_new_team")]
pub async fn get_new_team() -> Result<NewTeamPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageTeams).await?;
    server::pages::new_page(&mut tx).await
}

/// A team's members. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_team_members")]
pub async fn get_team_members(id: String) -> Result<MembersPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::members(&mut tx, id.parse()?).await
}

/// A team's limits and rules. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_team_limits")]
pub async fn get_team_limits(id: String) -> Result<LimitsPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::limits(&mut tx, id.parse()?).await
}

/// Makes a team, and leads to its members. Errors: `Invalid`; `Conflict` when there are too many.
#[server(prefix = "/rpc", endpoint = "create_team")]
pub async fn create_team(#[server(flatten)] form: TeamForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let (fields, errors) = form.read_new();
    errors.check()?;
    let id = server::teams::create(&mut tx, &fields).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Changes a team's name, limits and rules. Errors: `Invalid`, `NotFound`; `Conflict` when somebody else has saved meanwhile.
#[server(prefix = "/rpc", endpoint = "save_team")]
pub async fn save_team(#[server(flatten)] form: TeamForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = server::forms::save(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}/limits"));
    Ok(())
}

/// Puts an agent behind the members. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "add_team_member")]
pub async fn add_team_member(
    team: String,
    #[server(default)] agent: String,
    #[server(default)] role: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = team.parse()?;
    let agent = agent.parse().map_err(|_| AppError::invalid("agent", "Choose an agent from the list."))?;
    server::teams::add_member(&mut tx, id, agent, &role).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Says what a member is for. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_team_role")]
pub async fn save_team_role(team: String, member: String, #[server(default)] role: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = team.parse()?;
    server::teams::save_role(&mut tx, id, member.parse()?, &role).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Moves a member one place `up` or `down`. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "move_team_member")]
pub async fn move_team_member(team: String, member: String, to: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = team.parse()?;
    server::teams::move_member(&mut tx, id, member.parse()?, to == "up").await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Takes a member out of the team. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_team_member")]
pub async fn remove_team_member(team: String, member: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = team.parse()?;
    server::teams::remove_member(&mut tx, id, member.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Restores a team (`on` given) or deactivates it. Errors: `NotFound`; `Conflict` when its name is taken.
#[server(prefix = "/rpc", endpoint = "switch_team")]
pub async fn switch_team(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = id.parse()?;
    server::teams::switch(&mut tx, id, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}"));
    Ok(())
}

/// Makes another team like this one, and leads to it. Errors: `NotFound`; `Conflict` when there are too many.
#[server(prefix = "/rpc", endpoint = "duplicate_team")]
pub async fn duplicate_team(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let copy = server::teams::duplicate(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{copy}"));
    Ok(())
}

/// A team's versions, and two of them beside each other. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_team_versions")]
pub async fn list_team_versions(
    id: String,
    #[server(default)] query: TeamVersionQuery,
) -> Result<TeamVersionsPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::versions(&mut tx, id.parse()?, &query).await
}

/// Makes a version the newest one again. Errors: `Invalid` with what of it is no longer there; `NotFound`.
#[server(prefix = "/rpc", endpoint = "restore_team_version")]
pub async fn restore_team_version(id: String, number: i32) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let id = id.parse()?;
    server::teams::restore_version(&mut tx, id, number).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{id}/versions"));
    Ok(())
}

/// The playground of a team, with one of its sessions or a new one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_playground")]
pub async fn get_playground(id: String, session: Option<String>) -> Result<PlaygroundPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let session = session.map(|session| session.parse()).transpose()?;
    server::pages::playground(&mut tx, id.parse()?, session).await
}

/// What stands around a playground. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_playground_head")]
pub async fn get_playground_head(id: String, session: Option<String>) -> Result<PlaygroundHead, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let session = session.map(|session| session.parse()).transpose()?;
    server::pages::playground_head(&mut tx, id.parse()?, session).await
}

/// Sends a message to a team, and leads to the session. Errors: `Invalid`, `NotFound`; `Conflict` with the reason why nothing runs.
#[server(prefix = "/rpc", endpoint = "ask_team")]
pub async fn ask_team(#[server(flatten)] form: AskForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunTeams).await?;
    let place = server::forms::ask(&mut tx, &form).await?;
    tx.commit().await?;
    leptos_axum::redirect(&place);
    Ok(())
}

/// Stops a run, and goes back to `back`. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "cancel_supervisor_run")]
pub async fn cancel_supervisor_run(id: String, back: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunTeams).await?;
    let id = id.parse()?;
    server::runs::cancel(&mut tx, id).await?;
    tx.commit().await?;
    leptos_axum::redirect(&server::forms::back(back.as_deref(), id));
    Ok(())
}

/// Has a run's message worked on again, with another engine, and leads to that run. Errors: `Invalid`, `NotFound`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "run_supervisor_again")]
pub async fn run_supervisor_again(id: String, #[server(default)] engine: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunTeams).await?;
    let again = server::forms::again(&mut tx, id.parse()?, &engine).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/supervisor-runs/{again}"));
    Ok(())
}

/// Runs of all teams, or of one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_supervisor_runs")]
pub async fn list_supervisor_runs(
    team: Option<String>,
    #[server(default)] query: SupervisorRunQuery,
) -> Result<SupervisorRunList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let team = team.map(|team| team.parse()).transpose()?;
    server::pages::run_list(&mut tx, team, &query).await
}

/// One run with everything that happened in it. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_supervisor_run")]
pub async fn get_supervisor_run(id: String) -> Result<SupervisorRunPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::run(&mut tx, id.parse()?).await
}

/// Two runs of one team. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "compare_supervisor_runs")]
pub async fn compare_supervisor_runs(a: String, b: Option<String>) -> Result<SupervisorComparePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let b = b.map(|b| b.parse()).transpose()?;
    server::pages::compare(&mut tx, a.parse()?, b).await
}

/// A team's cases. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_team_cases")]
pub async fn list_team_cases(team: String, #[server(default)] query: TeamCaseQuery) -> Result<TeamCasesPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::cases(&mut tx, team.parse()?, &query).await
}

/// One case, what a new one begins with, or what a run makes of one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_team_case")]
pub async fn get_team_case(team: String, id: Option<String>, run: Option<String>) -> Result<TeamCasePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    let (id, run) = (id.map(|id| id.parse()).transpose()?, run.map(|run| run.parse()).transpose()?);
    server::pages::case(&mut tx, team.parse()?, id, run).await
}

/// Keeps or changes a case. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_team_case")]
pub async fn save_team_case(#[server(flatten)] form: CaseForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    let fields = form.check()?;
    server::cases::save(&mut tx, &fields).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/teams/{}/cases", fields.team));
    Ok(())
}

/// Runs a case, and leads to the run. Errors: `NotFound`; `Conflict` with the reason why nothing runs.
#[server(prefix = "/rpc", endpoint = "run_team_case")]
pub async fn run_team_case(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunTeams).await?;
    let run = server::cases::run(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/supervisor-runs/{run}"));
    Ok(())
}

/// Removes a case; its runs stay. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_team_case")]
pub async fn remove_team_case(team: String, id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTeams).await?;
    server::cases::remove(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    let team: patchbay_shared::ids::TeamId = team.parse()?;
    leptos_axum::redirect(&format!("/teams/{team}/cases"));
    Ok(())
}
