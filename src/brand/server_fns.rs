use leptos::prelude::*;

use super::model::BrandView;
use patchbay_shared::AppError;

/// The agency's brand, or with `client` that of a client.
#[server(prefix = "/rpc", endpoint = "get_brand")]
pub async fn get_brand(#[server(default)] client: Option<String>) -> Result<BrandView, AppError> {
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManageBrand).await?;
    let client = super::server::ops::named(client.as_deref())?;
    super::server::ops::view(&mut tx, client).await
}

/// Sets name, colour and support address.
#[server(prefix = "/rpc", endpoint = "save_brand")]
pub async fn save_brand(
    #[server(default)] client: Option<String>,
    product: String,
    accent: String,
    #[server(default)] picker: String,
    #[server(default)] was: String,
    support: String,
) -> Result<(), AppError> {
    use super::server::ops;
    let scope = patchbay_access::server::scope()?;
    let form = super::model::BrandForm { product, accent, picker, was, support };
    let client = ops::named(client.as_deref())?;
    ops::save(&scope, client, &form).await?;
    leptos_axum::redirect(&ops::page(client, "saved=1"));
    Ok(())
}

/// Takes the logo away.
#[server(prefix = "/rpc", endpoint = "remove_logo")]
pub async fn remove_logo(#[server(default)] client: Option<String>) -> Result<(), AppError> {
    use super::server::ops;
    let scope = patchbay_access::server::scope()?;
    let client = ops::named(client.as_deref())?;
    ops::set_logo(&scope, client, None).await?;
    leptos_axum::redirect(&ops::page(client, "saved=1"));
    Ok(())
}

/// Asks for a host name of the agency's own; empty lets it go.
#[server(prefix = "/rpc", endpoint = "save_brand_host")]
pub async fn save_brand_host(host: String, #[server(default)] current: String) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    super::server::hosts::ask(&visitor.scope()?, &host).await?;
    leptos_axum::redirect("/settings/brand?host=1");
    Ok(())
}

/// Looks into DNS for the proof of the host name.
#[server(prefix = "/rpc", endpoint = "check_brand_host")]
pub async fn check_brand_host() -> Result<(), AppError> {
    super::server::hosts::check(&patchbay_access::server::scope()?).await?;
    leptos_axum::redirect("/settings/brand?host=1");
    Ok(())
}
