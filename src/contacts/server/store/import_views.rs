use chrono::Utc;
use sqlx::types::Json;
use uuid::Uuid;

use crate::{DuplicateRule, ImportRow, ImportStatus, ImportView, Mapping, Preview, Problem};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{CampaignId, ClientId, ImportId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on one page of a list.
pub(crate) const PAGE: usize = 25;

/// The page of one import. Errors: `NotFound`.
pub(crate) async fn view(tx: &mut ReadTx, id: ImportId) -> Result<ImportView, AppError> {
    let row = sqlx::query!(
        r#"select i.client_id as "client_id: ClientId", cl.name as client_name, i.campaign_id as "campaign_id: CampaignId",
                  ca.name as "campaign_name?", i.file_name, i.file_bytes, coalesce(i.encoding, 'utf-8') as "encoding!",
                  coalesce(i.delimiter, ',') as "delimiter!", i.preview as "preview: Json<Preview>",
                  i.mapping as "mapping: Json<Mapping>", i.default_country, i.duplicates as "duplicates: DuplicateRule",
                  i.status as "status: ImportStatus", i.bytes_done, i.total_rows, i.imported_rows, i.updated_rows, i.duplicate_rows,
                  i.rejected_rows, i.kept_rows, i.cancel_requested, i.error, i.started_at, i.completed_at, i.created_at, u.name as "started_by?"
           from contact_imports i
           join clients cl on cl.workspace_id = $1 and cl.id = i.client_id
           left join campaigns ca on ca.workspace_id = $1 and ca.id = i.campaign_id
           left join users u on u.id = i.started_by
           where i.workspace_id = $1 and i.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let has_begun = row.started_at.is_some();
    let rows_per_second = row.started_at.filter(|_| row.total_rows > 0).map(|started| {
        let milliseconds = (row.completed_at.unwrap_or(now) - started).num_milliseconds().max(1);
        row.total_rows * 1000 / milliseconds
    });
    let problems = if has_begun { problems(tx, id, 0, 50).await? } else { Vec::new() };
    Ok(ImportView {
        id,
        client_id: row.client_id,
        client_name: row.client_name,
        campaign: row.campaign_id.zip(row.campaign_name),
        file_name: row.file_name,
        file_bytes: row.file_bytes,
        encoding: row.encoding,
        delimiter: row.delimiter,
        status: row.status,
        duplicates: row.duplicates,
        country: row.default_country,
        preview: row.preview.0,
        mapping: row.mapping.0,
        bytes_done: row.bytes_done,
        has_begun,
        rows: row.total_rows,
        imported: row.imported_rows,
        updated: row.updated_rows,
        kept: row.kept_rows,
        doubled: row.duplicate_rows,
        rejected: row.rejected_rows,
        cancel_requested: row.cancel_requested,
        error: row.error,
        started_by: row.started_by,
        created: zone::stamp(row.created_at, now, zone_of_viewer),
        completed: row.completed_at.map(|at| zone::stamp(at, now, zone_of_viewer)),
        rows_per_second,
        problems,
        may_manage: tx.scope().may(patchbay_access::Action::ManageContacts),
    })
}

/// Rows that were not imported, in the file's order, from behind line `after`. One record begins on each line.
pub(crate) async fn problems(tx: &mut ReadTx, id: ImportId, after: i64, most: i64) -> Result<Vec<Problem>, AppError> {
    Ok(sqlx::query_as!(
        Problem,
        "select line, reason, raw from contact_import_rejects
         where workspace_id = $1 and import_id = $2 and line > $3 order by line, id limit $4",
        tx.workspace_uuid(),
        id.0,
        after,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// All imports, newest first, `limit` rows on a page.
pub async fn list(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<ImportRow>, AppError> {
    let cursor = Cursor::parse(cursor).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let key: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let (older, newer) = if cursor.as_ref().is_some_and(|cursor| !cursor.older) { (None, key) } else { (key, None) };
    let client = tx.scope().client_id().or(client).map(|id| id.0);
    // A workspace has at most some thousands of imports, so one statement may read in both directions.
    let rows = sqlx::query!(
        r#"select i.id as "id: ImportId", i.file_name, cl.name as client_name, i.status as "status: ImportStatus", i.imported_rows,
                  i.updated_rows, i.duplicate_rows + i.rejected_rows as "rejected!", u.name as "started_by?", i.created_at
           from contact_imports i
           join clients cl on cl.workspace_id = $1 and cl.id = i.client_id
           left join users u on u.id = i.started_by
           where i.workspace_id = $1 and ($2::uuid is null or i.client_id = $2)
             and ($3::uuid is null or i.id < $3) and ($4::uuid is null or i.id > $4)
           order by (case when $4::uuid is null then i.id end) desc, i.id asc limit $5"#,
        tx.workspace_uuid(),
        client,
        older,
        newer,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let rows = rows
        .into_iter()
        .map(|row| ImportRow {
            id: row.id,
            file_name: row.file_name,
            client_name: row.client_name,
            status: row.status,
            imported: row.imported_rows,
            updated: row.updated_rows,
            rejected: row.rejected,
            started_by: row.started_by,
            created: zone::stamp(row.created_at, now, zone_of_viewer),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &ImportRow| row.id.to_string()))
}
