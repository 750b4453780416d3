use leptos::prelude::*;

use super::model::{ChoiceForm, ChoicePage, ModelsPage, PriceForm, PriceList, PricePage, PriceQuery};
use patchbay_shared::AppError;

/// Which model each kind of work uses.
#[server(prefix = "/rpc", endpoint = "get_models")]
pub async fn get_models() -> Result<ModelsPage, AppError> {
    super::server::views::models(&patchbay_access::server::scope()?).await
}

/// The form of one choice, for all or, with `agent`, for that agent's runs. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_model_choice")]
pub async fn get_model_choice(purpose: String, agent: Option<String>) -> Result<ChoicePage, AppError> {
    super::server::views::choice(&patchbay_access::server::scope()?, &purpose, agent.as_deref()).await
}

/// Chooses a model for one kind of work, or takes the choice back. Errors: `Invalid` at the field; `NotFound`.
#[server(prefix = "/rpc", endpoint = "choose_model")]
pub async fn choose_model(#[server(flatten)] form: ChoiceForm) -> Result<(), AppError> {
    super::server::ops::choose(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect("/connections/models");
    Ok(())
}

/// Prices, the newest first.
#[server(prefix = "/rpc", endpoint = "list_model_prices")]
pub async fn list_model_prices(#[server(default)] query: PriceQuery) -> Result<PriceList, AppError> {
    super::server::views::prices(&patchbay_access::server::scope()?, &query).await
}

/// What the form of a price needs.
#[server(prefix = "/rpc", endpoint = "get_model_price_form")]
pub async fn get_model_price_form() -> Result<PricePage, AppError> {
    super::server::views::price_form(&patchbay_access::server::scope()?).await
}

/// Stores what a model costs from a day on. The same day again replaces it. Errors: `Invalid` at the field; `NotFound`.
#[server(prefix = "/rpc", endpoint = "set_model_price")]
pub async fn set_model_price(#[server(flatten)] form: PriceForm) -> Result<(), AppError> {
    super::server::ops::set_price(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect("/connections/models/prices");
    Ok(())
}
