use leptos::prelude::*;

use super::model::{InvitationOffer, InvitationRow, MemberRow, MemberView, ShownLinks};
use patchbay_shared::{AppError, Page};

/// People of the agency, or of one client of it; for a client's admin, of that client.
#[server(prefix = "/rpc", endpoint = "list_members")]
pub async fn list_members(
    role: Option<String>,
    #[server(default)] client: Option<String>,
    cursor: Option<String>,
) -> Result<Page<MemberRow>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadMembers).await?;
    store::list(&mut tx, role.as_deref(), client.as_deref(), cursor.as_deref(), store::PAGE).await
}

/// The newest people of one client, for the client's page. None for those who may not see people.
#[server(prefix = "/rpc", endpoint = "client_members")]
pub async fn client_members(client: String) -> Result<Option<Vec<MemberRow>>, AppError> {
    use super::server::store;
    use patchbay_access::{Action, server::scope};
    let scope = scope()?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    if !scope.may(Action::ReadMembers) {
        return Ok(None);
    }
    let page = store::list(&mut tx, None, Some(&client), None, patchbay_shared::page::FIRST_FEW).await?;
    Ok(Some(page.rows))
}

/// One person.
#[server(prefix = "/rpc", endpoint = "get_member")]
pub async fn get_member(id: String) -> Result<MemberView, AppError> {
    super::server::ops::view(&patchbay_access::server::scope()?, id.parse()?).await
}

/// Invitations, newest first; with `status` those that stand so.
#[server(prefix = "/rpc", endpoint = "list_invitations")]
pub async fn list_invitations(
    #[server(default)] status: Option<String>,
    #[server(default)] cursor: Option<String>,
) -> Result<Page<InvitationRow>, AppError> {
    use super::server::invitations;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadMembers).await?;
    let status = status.and_then(|status| status.parse().ok());
    invitations::list(&mut tx, status, cursor.as_deref(), invitations::PAGE).await
}

/// Invites one address or many.
#[server(prefix = "/rpc", endpoint = "invite_members")]
pub async fn invite_members(
    emails: String,
    role: String,
    client: Option<String>,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let new = super::model::NewInvitations { emails, role, client: client.unwrap_or_default() };
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let invited = super::server::invitations::invite(&visitor.scope()?, &new).await?;
    super::server::links::show(&visitor, super::model::LinkKind::Invitation, invited).await
}

/// A new link for an invitation.
#[server(prefix = "/rpc", endpoint = "resend_invitation")]
pub async fn resend_invitation(id: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let invited = super::server::invitations::resend(&visitor.scope()?, id.parse()?).await?;
    super::server::links::show(&visitor, super::model::LinkKind::Invitation, vec![invited]).await
}

/// Withdraws an invitation.
#[server(prefix = "/rpc", endpoint = "withdraw_invitation")]
pub async fn withdraw_invitation(id: String) -> Result<(), AppError> {
    super::server::invitations::withdraw(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect("/settings/users/invitations");
    Ok(())
}

/// A link for someone's new password.
#[server(prefix = "/rpc", endpoint = "make_password_link")]
pub async fn make_password_link(id: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let link = super::server::ops::reset_link(&visitor.scope()?, id.parse()?).await?;
    super::server::links::show(&visitor, super::model::LinkKind::Password, vec![link]).await
}

/// The links that the viewer has just made, this once.
#[server(prefix = "/rpc", endpoint = "take_links")]
pub async fn take_links() -> Result<Option<ShownLinks>, AppError> {
    super::server::links::take(&patchbay_access::server::visitor()?).await
}

/// What an invitation's link is for. Anybody who has it may ask.
#[server(prefix = "/rpc", endpoint = "open_invitation")]
pub async fn open_invitation(token: String) -> Result<InvitationOffer, AppError> {
    super::server::invitations::open(&patchbay_access::server::visitor()?, &token).await
}

/// Makes the account that an invitation is for, and signs its owner in.
#[server(prefix = "/rpc", endpoint = "accept_invitation")]
pub async fn accept_invitation(token: String, name: String, password: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    let role = super::server::invitations::accept(&visitor, &token, &name, &password).await?;
    leptos_axum::redirect(patchbay_sign_in::server::landing(role, None));
    Ok(())
}

/// Gives someone another role.
#[server(prefix = "/rpc", endpoint = "change_member_role")]
pub async fn change_member_role(
    id: String,
    role: String,
    client: Option<String>,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::ops::change_role(&visitor.scope()?, id.parse()?, &role, &client.unwrap_or_default()).await?;
    leptos_axum::redirect(&format!("/settings/users/{id}"));
    Ok(())
}

/// Forgets the second factor of someone who has lost theirs.
#[server(prefix = "/rpc", endpoint = "clear_member_second_factor")]
pub async fn clear_member_second_factor(id: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::ops::clear_second_factor(&visitor.scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/settings/users/{id}"));
    Ok(())
}

/// Suspends (`status` = suspended) or reactivates (active) a person.
#[server(prefix = "/rpc", endpoint = "set_member_status")]
pub async fn set_member_status(id: String, status: String) -> Result<(), AppError> {
    let status = status.parse().map_err(|error: String| AppError::invalid("status", error))?;
    super::server::ops::set_status(&patchbay_access::server::scope()?, id.parse()?, status).await?;
    leptos_axum::redirect(&format!("/settings/users/{id}"));
    Ok(())
}

/// Ends all sessions of a person.
#[server(prefix = "/rpc", endpoint = "sign_member_out")]
pub async fn sign_member_out(id: String) -> Result<(), AppError> {
    super::server::ops::sign_out(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect(&format!("/settings/users/{id}"));
    Ok(())
}

/// Saves the viewer's own name and time zone.
#[server(prefix = "/rpc", endpoint = "save_profile")]
pub async fn save_profile(name: String, timezone: String) -> Result<(), AppError> {
    super::server::ops::save_profile(&patchbay_access::server::scope()?, &name, &timezone).await
}
