use leptos::prelude::*;

use super::model::{Connection, ConnectionForm, ModelAccountForm, VoiceCatalog};
use patchbay_shared::AppError;

/// The services and how the workspace's accounts there are doing.
#[server(prefix = "/rpc", endpoint = "list_connections")]
pub async fn list_connections() -> Result<Vec<Connection>, AppError> {
    super::server::ops::list(&patchbay_access::server::scope()?).await
}

/// One service by its name, or one account of models by its id. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_connection")]
pub async fn get_connection(provider: String) -> Result<Connection, AppError> {
    super::server::ops::get(&patchbay_access::server::scope()?, &provider).await
}

/// Tries the credentials and stores them if the service takes them. Errors: `Invalid` at the key; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "save_connection")]
pub async fn save_connection(#[server(flatten)] form: ConnectionForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &form.current).await?;
    super::server::connect::save(&visitor.scope()?, &form).await?;
    leptos_axum::redirect(&format!("/connections/{}", form.provider));
    Ok(())
}

/// Tries a model account and stores it, a new one without `id`. Errors: `Invalid` at the field; `NotFound`; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "save_model_account")]
pub async fn save_model_account(#[server(flatten)] form: ModelAccountForm) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &form.current).await?;
    let id = super::server::accounts::save(&visitor.scope()?, &form).await?;
    leptos_axum::redirect(&format!("/connections/{id}"));
    Ok(())
}

/// Asks the service now whether the stored credentials still work; the answer is stored and shown.
#[server(prefix = "/rpc", endpoint = "check_connection")]
pub async fn check_connection(provider: String) -> Result<(), AppError> {
    super::server::connect::check_now(&patchbay_access::server::scope()?, &provider).await?;
    leptos_axum::redirect(&format!("/connections/{provider}"));
    Ok(())
}

/// Looks at the way between carrier and voice service now and sets right what is Patchbay's; `replace`: another carrier account at
/// the voice service is replaced by the one that is connected here.
#[server(prefix = "/rpc", endpoint = "set_up_telephony")]
pub async fn set_up_telephony(replace: Option<String>) -> Result<(), AppError> {
    let scope = patchbay_access::server::scope()?;
    super::server::telephony::set_up(&scope, replace.is_some()).await?;
    leptos_axum::redirect("/connections/telnyx");
    Ok(())
}

/// Switches a connection off (`on` absent) or on again. Nothing is sent to a service that is switched off.
#[server(prefix = "/rpc", endpoint = "switch_connection")]
pub async fn switch_connection(provider: String, on: Option<String>) -> Result<(), AppError> {
    super::server::connect::switch(&patchbay_access::server::scope()?, &provider, on.is_some()).await?;
    leptos_axum::redirect(&format!("/connections/{provider}"));
    Ok(())
}

/// Models and voices for agents, from the voice service or, for ten minutes, from memory.
#[server(prefix = "/rpc", endpoint = "get_voice_catalog")]
pub async fn get_voice_catalog() -> Result<VoiceCatalog, AppError> {
    super::server::catalog::voice(&patchbay_access::server::scope()?).await
}
