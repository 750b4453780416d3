use leptos::prelude::*;

use super::model::{TestCallChoices, TestCallForm};
use patchbay_shared::AppError;

/// What the form of a test call offers.
#[server(prefix = "/rpc", endpoint = "get_test_call")]
pub async fn get_test_call() -> Result<TestCallChoices, AppError> {
    super::server::test_call::choices(&patchbay_access::server::scope()?).await
}

/// Has an agent call a phone. Errors: `Invalid`; `Conflict` with what to do; `ProviderDown`.
#[server(prefix = "/rpc", endpoint = "make_test_call")]
pub async fn make_test_call(#[server(flatten)] form: TestCallForm) -> Result<(), AppError> {
    let id = super::server::test_call::make(&patchbay_access::server::scope()?, &form).await?;
    leptos_axum::redirect(&format!("/calls/{id}"));
    Ok(())
}
