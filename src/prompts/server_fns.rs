use leptos::prelude::*;

use super::model::{
    DiffPage, MergePage, MoveList, MoveQuery, Outcomes, PromptForm, PromptList, PromptPage, PromptQuery,
};
use patchbay_shared::AppError;

/// Prompts by name.
#[server(prefix = "/rpc", endpoint = "list_prompts")]
pub async fn list_prompts(#[server(default)] query: PromptQuery) -> Result<PromptList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::list(&mut tx, &query).await
}

/// One prompt with its versions; `version` shows an older one. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_prompt")]
pub async fn get_prompt(id: String, version: Option<i32>) -> Result<PromptPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::page(&mut tx, id.parse()?, version).await
}

/// What calls of the last days came to with each version. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_prompt_outcomes")]
pub async fn get_prompt_outcomes(id: String) -> Result<Outcomes, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::outcomes(&mut tx, id.parse()?).await
}

/// What differs between two versions; without them, between what agents say and the newest. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_prompt_diff")]
pub async fn get_prompt_diff(
    id: String,
    from: Option<i32>,
    to: Option<i32>,
    #[server(default)] all: bool,
) -> Result<DiffPage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::diff::page(&mut tx, id.parse()?, from, to, all).await
}

/// The viewer's text that could not be saved, beside the newest version. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "get_prompt_merge")]
pub async fn get_prompt_merge(id: String) -> Result<MergePage, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ManagePrompts).await?;
    server::diff::merge(&mut tx, id.parse()?).await
}

/// Where a prompt's labels were moved, and what was asked for. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "list_prompt_moves")]
pub async fn list_prompt_moves(id: String, #[server(default)] query: MoveQuery) -> Result<MoveList, AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.read(Action::ReadWorkshop).await?;
    server::ops::moves(&mut tx, id.parse()?, &query).await
}

/// Makes a prompt, or saves a new version of one. Errors: `Invalid`; `Conflict` when somebody saved meanwhile, and says who: the text is
/// kept then, to be merged.
#[server(prefix = "/rpc", endpoint = "save_prompt")]
pub async fn save_prompt(#[server(flatten)] form: PromptForm) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    use patchbay_shared::Reason;
    let scope = scope()?;
    let mut tx = scope.write(Action::ManagePrompts).await?;
    match server::ops::save(&mut tx, &form).await {
        Ok(id) => {
            tx.commit().await?;
            leptos_axum::redirect(&format!("/prompts/{id}"));
            Ok(())
        }
        Err(error @ AppError::Conflict(Reason::StalePage, _)) => {
            drop(tx);
            let mut tx = scope.write(Action::ManagePrompts).await?;
            server::ops::keep_unsaved(&mut tx, &form).await?;
            tx.commit().await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Discards the viewer's text that waits to be merged. Errors: `NotFound`.
#[server(prefix = "/rpc", endpoint = "discard_prompt_text")]
pub async fn discard_prompt_text(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::drop_unsaved(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Saves an old version's text as the newest version, in production where it may be said untested. Errors: `NotFound`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "restore_prompt_version")]
pub async fn restore_prompt_version(id: String, version: i32) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::restore_version(&mut tx, id.parse()?, version).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Moves a label to a version. `was`: the version that the person saw it at, for going back. Where `production` needs a second person, the
/// move is asked for. Errors: `NotFound`; `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "move_prompt_label")]
pub async fn move_prompt_label(
    id: String,
    label: String,
    version: i32,
    #[server(default)] note: String,
    #[server(default)] was: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::labels::move_label(&mut tx, id.parse()?, &label, version, &note, was.parse().ok()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Takes a label off its version. Errors: `NotFound`; `Conflict` for `production`.
#[server(prefix = "/rpc", endpoint = "remove_prompt_label")]
pub async fn remove_prompt_label(id: String, label: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::labels::remove_label(&mut tx, id.parse()?, &label).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// A second person approves (`verdict=approve`) or refuses a move that waits. Errors: `NotFound`; `Invalid`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "decide_prompt_move")]
pub async fn decide_prompt_move(
    id: String,
    verdict: String,
    #[server(default)] answer: String,
) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let approves = match verdict.as_str() {
        "approve" => true,
        "refuse" => false,
        _ => return Err(AppError::invalid("verdict", "Approve the move or refuse it.")),
    };
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    let prompt = server::labels::decide(&mut tx, id.parse()?, approves, &answer).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{prompt}"));
    Ok(())
}

/// Whoever asked for a move takes the wish back. Errors: `NotFound`; `Conflict`.
#[server(prefix = "/rpc", endpoint = "withdraw_prompt_move")]
pub async fn withdraw_prompt_move(id: String) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    let prompt = server::labels::withdraw(&mut tx, id.parse()?).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{prompt}"));
    Ok(())
}

/// Whether a move of `production` waits for a second person (`on`) from now on. Errors: `NotFound`; `Conflict`: owners alone lift the rule.
#[server(prefix = "/rpc", endpoint = "set_prompt_rule")]
pub async fn set_prompt_rule(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::labels::set_rule(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}

/// Deactivates a prompt (`on` absent) or restores it. Errors: `Conflict` while agents use it.
#[server(prefix = "/rpc", endpoint = "set_prompt_active")]
pub async fn set_prompt_active(id: String, on: Option<String>) -> Result<(), AppError> {
    use super::server;
    use patchbay_access::{Action, server::scope};
    let mut tx = scope()?.write(Action::ManagePrompts).await?;
    server::ops::set_active(&mut tx, id.parse()?, on.is_some()).await?;
    tx.commit().await?;
    leptos_axum::redirect(&format!("/prompts/{id}"));
    Ok(())
}
