use leptos::prelude::*;

use super::model::{RuleForm, RuleList, RulePage, RuleQuery, TextList, TextQuery, TextThread};
use patchbay_shared::AppError;

/// Messages, newest first.
#[server(prefix = "/rpc", endpoint = "list_texts")]
pub async fn list_texts(#[server(default)] query: TextQuery) -> Result<TextList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    server::pages::texts(&mut tx, &query).await
}

/// Messages with one contact. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_text_thread")]
pub async fn get_text_thread(contact: String, cursor: Option<String>) -> Result<TextThread, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadContacts).await?;
    server::pages::thread(&mut tx, contact.parse()?, cursor).await
}

/// Writes to a contact. The same `key` again sends nothing more. Errors: `Invalid`, `NotFound`, `Conflict` with the reason why nobody may.
#[server(prefix = "/rpc", endpoint = "send_text")]
pub async fn send_text(contact: String, number: String, message: String, key: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    server::writing::to_contact(&scope()?, contact.parse()?, &number, &message, key.parse()?).await?;
    leptos_axum::redirect(&format!("/messages/with/{contact}"));
    Ok(())
}

/// Rules that send messages after calls.
#[server(prefix = "/rpc", endpoint = "list_text_rules")]
pub async fn list_text_rules(#[server(default)] query: RuleQuery) -> Result<RuleList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::rule_list(&mut tx, &query).await
}

/// One rule, or what a new one begins with; with its message as `contact` would get it. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_text_rule")]
pub async fn get_text_rule(id: Option<String>, contact: Option<String>) -> Result<RulePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let id = id.map(|id| id.parse()).transpose()?;
    let contact = contact.filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::pages::rule(&mut tx, id, contact).await
}

/// Makes or changes a rule. Errors: `Invalid`, `NotFound`.
#[server(prefix = "/rpc", endpoint = "save_text_rule")]
pub async fn save_text_rule(#[server(flatten)] form: RuleForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::server::scope;
    let id = server::rules::save(&scope()?, &form).await?;
    leptos_axum::redirect(&format!("/messages/rules/{id}"));
    Ok(())
}

/// Switches a rule on (`on` given) or off. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "switch_text_rule")]
pub async fn switch_text_rule(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTexts).await?;
    server::rules::switch(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/messages/rules/{id}"));
    Ok(())
}

/// Removes a rule; its messages stay. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "remove_text_rule")]
pub async fn remove_text_rule(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManageTexts).await?;
    server::rules::remove(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect("/messages/rules");
    Ok(())
}
