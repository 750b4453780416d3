//! Imports that nobody goes on with: uploads that were left lying, and work that broke off.

use crate::ImportStatus;
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ImportId, WorkspaceId};

/// All workspaces.
pub(crate) async fn workspaces(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "imports that are left lying").await?;
    Ok(sqlx::query_scalar!(r#"select id as "id: WorkspaceId" from workspaces order by id"#)
        .fetch_all(tx.conn())
        .await?)
}

/// An import that was left lying, and where it stood.
pub(crate) struct Expired {
    pub id: ImportId,
    pub client_id: ClientId,
    pub file_name: String,
    pub was: ImportStatus,
}

/// Ends the imports whose file is about to be deleted, because nobody went on with them for seven days.
pub(crate) async fn expire(tx: &mut WriteTx) -> Result<Vec<Expired>, AppError> {
    Ok(sqlx::query_as!(
        Expired,
        r#"with old as (
             select id, status from contact_imports
             where workspace_id = $1 and status in ('uploaded', 'checked') and created_at < now() - interval '7 days'
             order by id for update)
           update contact_imports i set status = 'cancelled', completed_at = now(), updated_at = now(),
                  error = 'Nobody started this import within seven days, so its file was deleted. Upload it again.'
           from old where i.workspace_id = $1 and i.id = old.id
           returning i.id as "id: ImportId", i.client_id as "client_id: ClientId", i.file_name, old.status as "was: ImportStatus""#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Imports that a worker is busy with, or should be.
pub(crate) async fn busy(tx: &mut ReadTx) -> Result<Vec<ImportId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: ImportId" from contact_imports where workspace_id = $1 and status in ('checking', 'importing')"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}
