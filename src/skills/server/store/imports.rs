//! Archives that were uploaded and wait for somebody to say what is taken.

use sqlx::types::Json;

use crate::model::SkillText;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::SkillImportId;

pub(crate) struct Waiting {
    pub file_name: String,
    pub skills: Vec<SkillText>,
    pub left_out: Vec<String>,
}

/// Forgets those that nobody looked at for a day.
pub(crate) async fn forget_old(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from skill_imports where workspace_id = $1 and created_at < now() - interval '1 day'",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from skill_imports where workspace_id = $1"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: SkillImportId,
    file_name: &str,
    skills: &[SkillText],
    left_out: &[String],
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into skill_imports (workspace_id, id, file_name, skills, left_out) values ($1, $2, $3, $4, $5)",
        tx.workspace_uuid(),
        id.0,
        file_name,
        Json(skills) as _,
        Json(left_out) as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Errors: `NotFound`, also of one that was taken or discarded.
pub(crate) async fn get(tx: &mut ReadTx, id: SkillImportId) -> Result<Waiting, AppError> {
    let row = sqlx::query!(
        r#"select file_name, skills as "skills: Json<Vec<SkillText>>", left_out as "left_out: Json<Vec<String>>"
           from skill_imports where workspace_id = $1 and id = $2 and created_at > now() - interval '1 day'"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Waiting { file_name: row.file_name, skills: row.skills.0, left_out: row.left_out.0 })
}

/// Holds an import against others that take or discard it. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: SkillImportId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from skill_imports where workspace_id = $1 and id = $2 for update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &mut WriteTx, id: SkillImportId) -> Result<(), AppError> {
    sqlx::query!("delete from skill_imports where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
