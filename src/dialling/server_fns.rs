use leptos::prelude::*;

use super::model::call_back::{CallBack, CallBackPage, CallBackQuery, CallBackSubject};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallBackId, CampaignContactId};

/// Call-backs, newest first or soonest first.
#[server(prefix = "/rpc", endpoint = "list_call_backs")]
pub async fn list_call_backs(#[server(default)] query: CallBackQuery) -> Result<CallBackPage, AppError> {
    use super::server::store::list;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    list::list(&mut tx, &query, list::PAGE).await
}

/// One call-back. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_call_back")]
pub async fn get_call_back(id: CallBackId) -> Result<CallBack, AppError> {
    use super::server::store::list;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadCampaigns).await?;
    list::get(&mut tx, id).await
}

/// For whom a new one would be: by a call with the contact, or by the contact's place in a campaign. None without either.
#[server(prefix = "/rpc", endpoint = "get_call_back_subject")]
pub async fn get_call_back_subject(
    call: Option<String>,
    member: Option<String>,
) -> Result<Option<CallBackSubject>, AppError> {
    use super::server::store::list;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::RunBatches).await?;
    let call = call.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    let member = member.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    if call.is_none() && member.is_none() {
        return Ok(None);
    }
    list::subject(&mut tx, call, member).await.map(Some)
}

/// Has a contact of a campaign called back at `at`, by the clock of the contact's zone.
#[server(prefix = "/rpc", endpoint = "create_call_back")]
pub async fn create_call_back(
    member: CampaignContactId,
    #[server(default)] call: String,
    #[server(default)] at: String,
) -> Result<(), AppError> {
    use super::server::call_backs;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunBatches).await?;
    let call = Some(call).filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    let id = call_backs::plan(&mut tx, member, call, &at).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/call-backs/{id}"));
    Ok(())
}

/// Sets or changes the time of a call-back. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "set_call_back")]
pub async fn set_call_back(id: CallBackId, #[server(default)] at: String) -> Result<(), AppError> {
    use super::server::call_backs;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunBatches).await?;
    call_backs::set(&mut tx, id, &at).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/call-backs/{id}"));
    Ok(())
}

/// Calls a call-back off. Safe to repeat.
#[server(prefix = "/rpc", endpoint = "cancel_call_back")]
pub async fn cancel_call_back(id: CallBackId) -> Result<(), AppError> {
    use super::server::call_backs;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::RunBatches).await?;
    call_backs::cancel(&mut tx, id).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/call-backs/{id}"));
    Ok(())
}
