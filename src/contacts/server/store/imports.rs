use sqlx::types::Json;

use crate::{CheckResult, DuplicateRule, ImportStatus, ImportTerms, Mapping, Preview, Target};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CampaignId, ClientId, ImportId};

/// Imports of one workspace that may run at the same time.
pub(crate) const AT_ONCE: i64 = 5;

/// An import as its worker needs it.
pub(crate) struct Work {
    pub id: ImportId,
    pub client_id: ClientId,
    pub campaign_id: Option<CampaignId>,
    pub file_key: String,
    pub file_name: String,
    pub encoding: String,
    pub delimiter: String,
    pub preview: Preview,
    pub mapping: Mapping,
    pub country: Option<String>,
    pub duplicates: DuplicateRule,
    pub status: ImportStatus,
    /// Records that are dealt with.
    pub lines_done: i64,
    /// Where the rows lie that the check has read.
    pub stage_key: Option<String>,
    pub file_bytes: i64,
}

impl Work {
    /// How to walk through its file.
    pub(crate) fn walk(&self, services: &patchbay_services::Services) -> Result<crate::server::import::Walk, AppError> {
        Ok(crate::server::import::Walk {
            path: crate::server::files::path(services, &self.file_key)?,
            encoding: self.encoding.clone(),
            delimiter: self.delimiter.bytes().next().unwrap_or(b','),
            preview: self.preview.clone(),
            mapping: self.mapping.clone(),
            country: self.country.clone(),
        })
    }
}

/// What a new import is.
pub(crate) struct NewImport<'a> {
    pub id: ImportId,
    pub client_id: ClientId,
    pub campaign_id: Option<CampaignId>,
    pub file_name: &'a str,
    pub file_key: &'a str,
    pub file_bytes: i64,
    pub encoding: &'a str,
    pub delimiter: &'a str,
    pub preview: &'a Preview,
    pub mapping: &'a Mapping,
    pub country: Option<&'a str>,
}

pub(crate) async fn insert(tx: &mut WriteTx, new: &NewImport<'_>) -> Result<(), AppError> {
    let user = tx.user_id().map(|id| id.0);
    sqlx::query!(
        "insert into contact_imports (workspace_id, id, client_id, campaign_id, file_name, file_key, file_bytes, encoding, delimiter,
                                      preview, mapping, default_country, started_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        tx.workspace_uuid(),
        new.id.0,
        new.client_id.0,
        new.campaign_id.map(|id| id.0),
        new.file_name,
        new.file_key,
        new.file_bytes,
        new.encoding,
        new.delimiter,
        Json(new.preview) as _,
        Json(new.mapping) as _,
        new.country,
        user,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The client's last column names with what they became, and its default country.
pub(crate) async fn remembered(
    tx: &mut ReadTx,
    client: ClientId,
) -> Result<(Vec<(String, Target)>, Option<String>), AppError> {
    let row = sqlx::query!(
        r#"select preview as "preview: Json<Preview>", mapping as "mapping: Json<Mapping>", default_country from contact_imports
           where workspace_id = $1 and client_id = $2 and status <> 'uploaded' order by id desc limit 1"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok((Vec::new(), None)) };
    if !row.mapping.0.named {
        return Ok((Vec::new(), row.default_country));
    }
    let known = row.preview.0.header(true).into_iter().zip(row.mapping.0.columns).collect();
    Ok((known, row.default_country))
}

/// Errors: `NotFound`.
pub(crate) async fn work(tx: &mut ReadTx, id: ImportId) -> Result<Work, AppError> {
    let row = sqlx::query!(
        r#"select client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId", file_key, file_name,
                  coalesce(encoding, 'utf-8') as "encoding!", coalesce(delimiter, ',') as "delimiter!",
                  preview as "preview: Json<Preview>", mapping as "mapping: Json<Mapping>", default_country,
                  duplicates as "duplicates: DuplicateRule", status as "status: ImportStatus", lines_done, stage_key, file_bytes
           from contact_imports where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Work {
        id,
        client_id: row.client_id,
        campaign_id: row.campaign_id,
        file_key: row.file_key,
        file_name: row.file_name,
        encoding: row.encoding,
        delimiter: row.delimiter,
        preview: row.preview.0,
        mapping: row.mapping.0,
        country: row.default_country,
        duplicates: row.duplicates,
        status: row.status,
        lines_done: row.lines_done,
        stage_key: row.stage_key,
        file_bytes: row.file_bytes,
    })
}

/// Locks an import and gives its state. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: ImportId) -> Result<ImportStatus, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select status as "status: ImportStatus" from contact_imports where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Waits until no other transaction of the workspace counts its imports, so that what is counted now still holds at the commit.
pub(crate) async fn lock_counts(tx: &mut WriteTx) -> Result<(), AppError> {
    let workspace = tx.workspace_id().to_string();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 19))", workspace).fetch_one(tx.conn()).await?;
    Ok(())
}

/// Unfinished imports, and the bytes of their files and of the rows kept of them: of a client, and of the whole workspace.
pub(crate) struct Waiting {
    pub of_client: i64,
    pub bytes_of_client: i64,
    pub all: i64,
    pub bytes: i64,
}

pub(crate) async fn waiting(tx: &mut ReadTx, client: ClientId) -> Result<Waiting, AppError> {
    Ok(sqlx::query_as!(
        Waiting,
        r#"select count(*) filter (where client_id = $2) as "of_client!",
                  coalesce(sum(file_bytes + stage_bytes) filter (where client_id = $2), 0)::bigint as "bytes_of_client!",
                  count(*) as "all!", coalesce(sum(file_bytes + stage_bytes), 0)::bigint as "bytes!"
           from contact_imports
           where workspace_id = $1 and status in ('uploaded', 'checking', 'checked', 'importing')"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How a file is read from now on, with the mapping that was guessed anew.
pub(crate) async fn set_reading(
    tx: &mut WriteTx,
    id: ImportId,
    sniffed: &crate::server::import::sniff::Sniffed,
    mapping: &Mapping,
) -> Result<(), AppError> {
    sqlx::query!(
        "update contact_imports set encoding = $3, delimiter = $4, preview = $5, mapping = $6, file_bytes = $7, status = 'uploaded',
                updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        sniffed.encoding,
        char::from(sniffed.delimiter).to_string(),
        Json(&sniffed.preview) as _,
        Json(mapping) as _,
        sniffed.bytes as i64,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What an import has read and what became of it.
#[derive(Debug)]
pub(crate) struct Sums {
    /// Rows that the check read.
    pub checked: i64,
    pub rows: i64,
    pub imported: i64,
    pub updated: i64,
    pub kept: i64,
    pub doubled: i64,
    pub rejected: i64,
    /// Rows in the list of those that were not imported.
    pub listed: i64,
}

impl Sums {
    pub(crate) fn accounted(&self) -> i64 {
        self.imported + self.updated + self.kept + self.doubled + self.rejected
    }

    pub(crate) fn add_up(&self) -> bool {
        self.checked == self.rows && self.rows == self.accounted() && self.doubled + self.rejected == self.listed
    }
}

pub(crate) async fn sums(tx: &mut ReadTx, id: ImportId) -> Result<Sums, AppError> {
    Ok(sqlx::query_as!(
        Sums,
        r#"select coalesce((i.preview #>> '{check,rows}')::bigint, 0) as "checked!", i.total_rows as rows, i.imported_rows as imported,
                  i.updated_rows as updated, i.kept_rows as kept, i.duplicate_rows as doubled, i.rejected_rows as rejected,
                  (select count(*) from contact_import_rejects r where r.workspace_id = $1 and r.import_id = i.id) as "listed!"
           from contact_imports i where i.workspace_id = $1 and i.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Imports of the workspace that a worker is busy with.
pub(crate) async fn busy(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from contact_imports where workspace_id = $1 and status in ('checking', 'importing')"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Takes the second step's choices and puts the import into `checking`, with all counts at nothing.
pub(crate) async fn set_terms(tx: &mut WriteTx, id: ImportId, terms: &ImportTerms) -> Result<(), AppError> {
    sqlx::query!(
        "update contact_imports set mapping = $3, default_country = $4, duplicates = $5, campaign_id = $6, status = 'checking',
                preview = preview - 'check', bytes_done = 0, lines_done = 0, total_rows = 0, valid_rows = 0, duplicate_rows = 0,
                rejected_rows = 0, cancel_requested = false, error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        Json(&terms.mapping) as _,
        terms.country,
        terms.duplicates as DuplicateRule,
        terms.campaign_id.map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Of these numbers, how many the client has, and how many of those must not be called.
pub(crate) async fn known(tx: &mut ReadTx, client: ClientId, phones: &[String]) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select count(*) as "known!", count(*) filter (where do_not_call) as "suppressed!" from contacts
           where workspace_id = $1 and client_id = $2 and phone = any($3)"#,
        tx.workspace_uuid(),
        client.0,
        phones
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.known, row.suppressed))
}

/// A check that begins. It gets a number, and only the check with the newest one writes into the import: the worker of an older one was
/// thought dead. None: the import is not to be checked.
pub(crate) async fn begin_check(tx: &mut WriteTx, id: ImportId) -> Result<Option<i32>, AppError> {
    Ok(sqlx::query_scalar!(
        "update contact_imports set checks = checks + 1, stage_bytes = 0, updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'checking' returning checks",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Whether a check is the newest of its import.
pub(crate) async fn is_newest_check(tx: &mut ReadTx, id: ImportId, check: i32) -> Result<bool, AppError> {
    let checks = sqlx::query_scalar!(
        "select checks from contact_imports where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(checks == check)
}

/// What a check does after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoOn {
    Yes,
    /// A person asked it to stop.
    Stop,
    /// It is over, or another worker has it.
    NotOurs,
}

/// How far a check has come.
pub(crate) struct CheckedSoFar<'a> {
    pub check: i32,
    /// Bytes of the file read, and bytes of rows kept.
    pub bytes: u64,
    pub kept: u64,
    pub result: &'a CheckResult,
}

/// Writes the check's progress.
pub(crate) async fn checked_so_far(tx: &mut WriteTx, id: ImportId, so_far: CheckedSoFar<'_>) -> Result<GoOn, AppError> {
    let CheckedSoFar { check, bytes, kept, result } = so_far;
    let cancelled = sqlx::query_scalar!(
        "update contact_imports set bytes_done = $4, total_rows = $5, valid_rows = $6, duplicate_rows = $7, rejected_rows = $8,
                stage_bytes = $9, updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'checking' and checks = $3 returning cancel_requested",
        tx.workspace_uuid(),
        id.0,
        check,
        bytes as i64,
        result.rows,
        result.fresh + result.known,
        result.doubled,
        result.rejected,
        kept as i64,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(match cancelled {
        Some(false) => GoOn::Yes,
        Some(true) => GoOn::Stop,
        None => GoOn::NotOurs,
    })
}

/// False: the check is not the import's newest, or is over.
pub(crate) async fn finish_check(
    tx: &mut WriteTx,
    id: ImportId,
    check: i32,
    result: &CheckResult,
    stage_key: &str,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update contact_imports set status = 'checked', preview = jsonb_set(preview, '{check}', $4), bytes_done = file_bytes,
                total_rows = $5, valid_rows = $6, duplicate_rows = $7, rejected_rows = $8, stage_key = $9, updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'checking' and checks = $3",
        tx.workspace_uuid(),
        id.0,
        check,
        Json(result) as _,
        result.rows,
        result.fresh + result.known,
        result.doubled,
        result.rejected,
        stage_key,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// From `checked` to `importing`: from now on counts and places are the import's own.
pub(crate) async fn start(tx: &mut WriteTx, id: ImportId) -> Result<(), AppError> {
    sqlx::query!(
        "update contact_imports set status = 'importing', bytes_done = 0, lines_done = 0, total_rows = 0, valid_rows = 0,
                imported_rows = 0, updated_rows = 0, duplicate_rows = 0, rejected_rows = 0, kept_rows = 0, cancel_requested = false,
                started_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'checked'",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn ask_to_stop(tx: &mut WriteTx, id: ImportId) -> Result<(), AppError> {
    sqlx::query!(
        "update contact_imports set cancel_requested = true, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How an import ended.
pub(crate) struct Ended {
    pub client_id: ClientId,
    pub rows: i64,
    pub imported: i64,
    pub updated: i64,
    pub rejected: i64,
}

/// Ends an import that has not ended. None: it had.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: ImportId,
    status: ImportStatus,
    error: Option<&str>,
) -> Result<Option<Ended>, AppError> {
    Ok(sqlx::query_as!(
        Ended,
        r#"update contact_imports set status = $3, error = $4, completed_at = now(), updated_at = now(),
                  bytes_done = case when $3 = 'completed'::import_status then file_bytes else bytes_done end
           where workspace_id = $1 and id = $2 and status not in ('completed', 'failed', 'cancelled')
           returning client_id as "client_id: ClientId", total_rows as rows, imported_rows as imported, updated_rows as updated,
                     duplicate_rows + rejected_rows as "rejected!""#,
        tx.workspace_uuid(),
        id.0,
        status as ImportStatus,
        error
    )
    .fetch_optional(tx.conn())
    .await?)
}
