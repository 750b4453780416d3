use leptos::prelude::*;

use super::model::AgencyView;
use patchbay_shared::AppError;

/// The agency's own settings, its plan and what it holds of it.
#[server(prefix = "/rpc", endpoint = "get_agency")]
pub async fn get_agency() -> Result<AgencyView, AppError> {
    super::server::view(&patchbay_access::server::scope()?).await
}

/// Saves the agency's name, zone and rules.
#[server(prefix = "/rpc", endpoint = "save_agency")]
pub async fn save_agency(
    name: String,
    timezone: String,
    second_factor: String,
    #[server(default)] audit_days: String,
    #[server(default)] concurrency: String,
    #[server(default)] current: String,
) -> Result<(), AppError> {
    let visitor = patchbay_access::server::visitor()?;
    patchbay_users::proof::demand(&visitor, &current).await?;
    let form = super::model::AgencyForm { name, timezone, second_factor, audit_days, concurrency };
    super::server::save(&visitor.scope()?, &form).await?;
    leptos_axum::redirect("/settings/agency");
    Ok(())
}
