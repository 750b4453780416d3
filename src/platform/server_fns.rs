use leptos::prelude::*;

use super::model::{QueueHealth, WorkspaceQuery, WorkspaceRow, WorkspaceView};
use patchbay_shared::{AppError, Page};

/// Agencies on this installation. Platform admins only; others get `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_workspaces")]
pub async fn list_workspaces(query: WorkspaceQuery) -> Result<Page<WorkspaceRow>, AppError> {
    let (mut tx, zone) = super::server::guard::open().await?;
    super::server::store::list(&mut tx, &query, zone).await
}

/// Waiting and failed work, by queue.
#[server(prefix = "/rpc", endpoint = "platform_queues")]
pub async fn platform_queues() -> Result<Vec<QueueHealth>, AppError> {
    let (mut tx, _) = super::server::guard::open().await?;
    super::server::store::queues(&mut tx, None).await
}

/// One agency: plan, limits, use and health. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_workspace")]
pub async fn get_workspace(id: String) -> Result<WorkspaceView, AppError> {
    super::server::ops::view(&patchbay_access::server::visitor()?, id.parse()?).await
}

/// Changes an agency's plan and what was agreed in its place.
#[server(prefix = "/rpc", endpoint = "save_workspace_terms")]
pub async fn save_workspace_terms(
    id: String,
    plan: String,
    #[server(default)] people: String,
    #[server(default)] clients: String,
    #[server(default)] agents: String,
    #[server(default)] lines: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let scope = visitor.platform_scope(id.parse()?)?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let mut errors = patchbay_shared::FieldErrors::default();
    let agreed = patchbay_workspaces::model::Agreed::read(&people, &clients, &agents, &lines, &mut errors);
    errors.check()?;
    let plan = plan.parse().map_err(|error: String| AppError::invalid("plan", error))?;
    super::server::ops::set_terms(&scope, plan, agreed).await?;
    leptos_axum::redirect(&format!("/platform/{id}"));
    Ok(())
}

/// Invites the first owner of an agency again.
#[server(prefix = "/rpc", endpoint = "invite_workspace_owner")]
pub async fn invite_workspace_owner(
    id: String,
    email: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let scope = visitor.platform_scope(id.parse()?)?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let invited = super::server::ops::invite_owner(&scope, &email).await?;
    patchbay_members::server::links::show(&visitor, patchbay_members::model::LinkKind::Invitation, vec![invited]).await
}

/// Creates an agency and invites its owner.
#[server(prefix = "/rpc", endpoint = "create_workspace")]
pub async fn create_workspace(
    workspace: String,
    email: String,
    plan: String,
    timezone: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let scope = visitor.platform_scope(patchbay_shared::ids::WorkspaceId::new())?;
    let plan = plan.parse().map_err(|error: String| AppError::invalid("plan", error))?;
    let invited = super::server::ops::open_workspace(&scope, &workspace, &email, plan, &timezone).await?;
    patchbay_members::server::links::show(&visitor, patchbay_members::model::LinkKind::Invitation, vec![invited]).await
}

/// Suspends (`status` = suspended) or reactivates (active) an agency.
#[server(prefix = "/rpc", endpoint = "set_workspace_status")]
pub async fn set_workspace_status(id: String, status: String, reason: String) -> Result<(), AppError> {
    let scope = patchbay_access::server::visitor()?.platform_scope(id.parse()?)?;
    let status = status.parse().map_err(|error: String| AppError::invalid("status", error))?;
    super::server::ops::set_status(&scope, status, &reason).await?;
    leptos_axum::redirect(&format!("/platform/{id}"));
    Ok(())
}

/// Opens a support session over an agency: announced there, an hour at most, changing nothing.
#[server(prefix = "/rpc", endpoint = "open_support_session")]
pub async fn open_support_session(
    id: String,
    reason: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    visitor.platform_scope(id.parse()?)?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::support::open(&visitor, id.parse()?, &reason).await?;
    leptos_axum::redirect("/dashboard");
    Ok(())
}

/// Ends the support session that the viewer is in.
#[server(prefix = "/rpc", endpoint = "end_support_session")]
pub async fn end_support_session() -> Result<(), AppError> {
    super::server::support::end(&patchbay_access::server::visitor()?).await?;
    leptos_axum::redirect("/platform");
    Ok(())
}
