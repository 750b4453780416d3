//! Statements about texts that could not be saved because another version had been saved meanwhile.

use crate::model::PromptForm;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{PromptId, UserId};

/// A text that waits, and the version that it started from.
pub(crate) struct Kept {
    pub template: String,
    pub base: i32,
}

/// Keeps a person's text in place of the one that may wait already.
pub(crate) async fn keep(
    tx: &mut WriteTx,
    id: PromptId,
    user: UserId,
    base: i32,
    form: &PromptForm,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into prompt_unsaved_texts (workspace_id, id, prompt_id, user_id, base_version, template) values ($1, $2, $3, $4, $5, $6)
         on conflict (workspace_id, prompt_id, user_id) do update
           set base_version = excluded.base_version, template = excluded.template, created_at = now()",
        workspace,
        uuid::Uuid::now_v7(),
        id.0,
        user.0,
        base,
        form.template.replace("\r\n", "\n")
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The viewer's text that waits.
pub(crate) async fn get(tx: &mut ReadTx, id: PromptId) -> Result<Option<Kept>, AppError> {
    let (workspace, user) = (tx.workspace_uuid(), tx.scope().user_id().map(|user| user.0));
    Ok(sqlx::query_as!(
        Kept,
        "select template, base_version as base from prompt_unsaved_texts where workspace_id = $1 and prompt_id = $2 and user_id = $3",
        workspace,
        id.0,
        user
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The viewer has saved a text, or does not want the one that waits any more.
pub(crate) async fn drop(tx: &mut WriteTx, id: PromptId) -> Result<(), AppError> {
    let (workspace, user) = (tx.workspace_uuid(), tx.user_id().map(|user| user.0));
    sqlx::query!(
        "delete from prompt_unsaved_texts where workspace_id = $1 and prompt_id = $2 and user_id = $3",
        workspace,
        id.0,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
