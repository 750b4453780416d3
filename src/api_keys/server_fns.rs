use leptos::prelude::*;

use super::model::{KeyRow, NewKey};
use patchbay_shared::{AppError, Page};

/// Keys of the agency, newest first.
#[server(prefix = "/rpc", endpoint = "list_api_keys")]
pub async fn list_api_keys(#[server(default)] cursor: Option<String>) -> Result<Page<KeyRow>, AppError> {
    super::server::ops::list(&patchbay_access::server::scope()?, cursor.as_deref()).await
}

/// Makes a key, which its page shows once.
#[server(prefix = "/rpc", endpoint = "create_api_key")]
pub async fn create_api_key(
    name: String,
    #[server(default)] scopes: Vec<String>,
    rate_limit: String,
    #[server(default)] days: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let new = super::server::ops::create(&visitor.scope()?, &name, &scopes, &rate_limit, &days).await?;
    super::server::ops::show(&visitor, new).await
}

/// A successor with the same terms; the old key goes on for a day.
#[server(prefix = "/rpc", endpoint = "rotate_api_key")]
pub async fn rotate_api_key(id: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let new = super::server::ops::rotate(&visitor.scope()?, id.parse()?).await?;
    super::server::ops::show(&visitor, new).await
}

/// Ends a key at once.
#[server(prefix = "/rpc", endpoint = "revoke_api_key")]
pub async fn revoke_api_key(id: String) -> Result<(), AppError> {
    super::server::ops::revoke(&patchbay_access::server::scope()?, id.parse()?).await?;
    leptos_axum::redirect("/settings/api-keys");
    Ok(())
}

/// The key that the viewer has just made, this once.
#[server(prefix = "/rpc", endpoint = "take_api_key")]
pub async fn take_api_key() -> Result<Option<NewKey>, AppError> {
    super::server::ops::take(&patchbay_access::server::visitor()?).await
}
