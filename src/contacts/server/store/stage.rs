//! Writing one piece of an import. PostgreSQL refuses COPY into a table with row security, so rows are copied into a temporary table,
//! which only this transaction sees, and inserted from there under the policies like any others.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::imports::Work;
use crate::DuplicateRule;
use crate::server::import::Piece;
use crate::server::told;
use patchbay_access::server::WriteTx;
use patchbay_dialling::server as dialling;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ContactId;

/// How writing a piece ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Written: commit.
    Done,
    /// A person asked to stop before this piece. Nothing was written.
    CancelRequested,
    /// The import stands somewhere else than this worker thought: another one has it. Nothing was written.
    NotOurs,
}

/// Writes the piece that begins after `done` records: contacts, memberships, rejected rows, counts. All or nothing. `keys`: the names of
/// the people's variables.
pub(crate) async fn write(
    tx: &mut WriteTx,
    import: &Work,
    done: u64,
    piece: &Piece,
    keys: &[String],
) -> Result<Step, AppError> {
    let state = sqlx::query!(
        "select lines_done, cancel_requested from contact_imports where workspace_id = $1 and id = $2 and status = 'importing' for update",
        tx.workspace_uuid(),
        import.id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    match state {
        Some(state) if state.cancel_requested => return Ok(Step::CancelRequested),
        Some(state) if state.lines_done as u64 == done => {}
        _ => return Ok(Step::NotOurs),
    }
    let Counts { imported, updated, kept } =
        if piece.people.is_empty() { Counts::default() } else { people(tx, import, piece, keys).await? };
    let suppressed = suppress(tx, import, piece).await?;
    tell(tx, import, piece, &suppressed).await?;
    join(tx, import, piece).await?;
    rejects(tx, import, piece).await?;
    sqlx::query!(
        "update contact_imports set lines_done = $3, bytes_done = $4, total_rows = total_rows + $5, valid_rows = valid_rows + $6,
                imported_rows = imported_rows + $7, updated_rows = updated_rows + $8, duplicate_rows = duplicate_rows + $9,
                rejected_rows = rejected_rows + $10, kept_rows = kept_rows + $11, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        import.id.0,
        piece.done as i64,
        piece.bytes as i64,
        piece.rows,
        piece.people.len() as i64,
        imported,
        updated,
        piece.doubled,
        piece.refused.len() as i64 - piece.doubled,
        kept,
    )
    .execute(tx.conn())
    .await?;
    Ok(Step::Done)
}

/// What became of the people of a piece.
#[derive(Debug, Default)]
struct Counts {
    imported: i64,
    updated: i64,
    /// The client had the number, and nothing changed.
    kept: i64,
}

/// Errors: internal, when not each of them is a contact of the client afterwards.
async fn people(tx: &mut WriteTx, import: &Work, piece: &Piece, keys: &[String]) -> Result<Counts, AppError> {
    sqlx::query(
        "create temp table import_stage (place int, id uuid, phone text, name text, company text, email text,
                                         timezone text, attributes jsonb, do_not_call_reason text) on commit drop",
    )
    .execute(tx.conn())
    .await?;
    let mut copy = tx.conn().copy_in_raw("copy import_stage from stdin").await?;
    copy.send(lines(import, piece, keys)).await?;
    let staged = copy.finish().await? as i64;
    let counts = match import.duplicates {
        DuplicateRule::Skip => {
            let imported = insert_new(tx, import).await?;
            Counts { imported, updated: 0, kept: present(tx, import).await? - imported }
        }
        DuplicateRule::Update => {
            let (imported, updated) = insert_or_update(tx, import).await?;
            Counts { imported, updated, kept: 0 }
        }
    };
    if staged != piece.people.len() as i64 || counts.imported + counts.updated + counts.kept != staged {
        return Err(internal(format!("{} people, {staged} staged, {counts:?}", piece.people.len())));
    }
    Ok(counts)
}

/// Everyone in the file joins the campaign, those that the client already had as well. Whoever must not be called stays out, so this
/// comes after `suppress`.
async fn join(tx: &mut WriteTx, import: &Work, piece: &Piece) -> Result<(), AppError> {
    if let Some(campaign) = import.campaign_id.filter(|_| !piece.people.is_empty()) {
        let phones: Vec<&str> = piece.people.iter().map(|person| person.phone.as_str()).collect();
        dialling::contacts::join_by_phone(tx, campaign, import.client_id, &phones).await?;
    }
    Ok(())
}

/// The piece as COPY's text format.
fn lines(import: &Work, piece: &Piece, keys: &[String]) -> Vec<u8> {
    let mut out = String::with_capacity(piece.people.len() * 200);
    for (place, person) in piece.people.iter().enumerate() {
        use std::fmt::Write;
        let _ = write!(out, "{place}\t{}\t{}", Uuid::now_v7(), person.phone);
        for cell in [Some(&person.name), person.company.as_ref(), person.email.as_ref(), person.timezone.as_ref()] {
            out.push('\t');
            match cell {
                Some(text) => escape(&mut out, text),
                None => out.push_str("\\N"),
            }
        }
        out.push('\t');
        let attributes: BTreeMap<&str, &str> = person.attributes(keys).collect();
        escape(&mut out, &json!(attributes).to_string());
        out.push('\t');
        match &person.do_not_call {
            Some(why) => escape(&mut out, &why.reason(&import.file_name)),
            None => out.push_str("\\N"),
        }
        out.push('\n');
    }
    out.into_bytes()
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
}

// Rows go in by number, always in the same order, so that two imports into one client wait for each other and never deadlock.
const INSERT: &str =
    "insert into contacts (workspace_id, id, client_id, name, phone, company, email, timezone, attributes, do_not_call,
                        do_not_call_reason, do_not_call_at, import_id)
    select $1, id, $2, name, phone, company, email, timezone, attributes, do_not_call_reason is not null,
           do_not_call_reason, case when do_not_call_reason is not null then now() end, $3
    from import_stage order by phone on conflict on constraint contacts_phone_unique do nothing";

async fn insert_new(tx: &mut WriteTx, import: &Work) -> Result<i64, AppError> {
    let done =
        sqlx::query(INSERT).bind(tx.workspace_uuid()).bind(import.client_id).bind(import.id).execute(tx.conn()).await?;
    Ok(done.rows_affected() as i64)
}

/// How many of the staged numbers the client has.
async fn present(tx: &mut WriteTx, import: &Work) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar(
        "select count(*) from import_stage s join contacts c on c.workspace_id = $1 and c.client_id = $2 and c.phone = s.phone",
    )
    .bind(tx.workspace_uuid())
    .bind(import.client_id)
    .fetch_one(tx.conn())
    .await?)
}

// What the file leaves empty stays as it was. A row's `xmax` is zero exactly when it was inserted just now.
const UPSERT: &str = "with written as (
      insert into contacts (workspace_id, id, client_id, name, phone, company, email, timezone, attributes, do_not_call,
                            do_not_call_reason, do_not_call_at, import_id)
      select $1, id, $2, name, phone, company, email, timezone, attributes, do_not_call_reason is not null,
             do_not_call_reason, case when do_not_call_reason is not null then now() end, $3
      from import_stage order by phone
      on conflict on constraint contacts_phone_unique do update set
        name = coalesce(nullif(excluded.name, ''), contacts.name), company = coalesce(excluded.company, contacts.company),
        email = coalesce(excluded.email, contacts.email), timezone = coalesce(excluded.timezone, contacts.timezone),
        attributes = contacts.attributes || excluded.attributes, import_id = excluded.import_id, updated_at = now()
      returning xmax = 0 as is_new)
    select count(*) filter (where is_new), count(*) filter (where not is_new) from written";

async fn insert_or_update(tx: &mut WriteTx, import: &Work) -> Result<(i64, i64), AppError> {
    Ok(sqlx::query_as(UPSERT)
        .bind(tx.workspace_uuid())
        .bind(import.client_id)
        .bind(import.id)
        .fetch_one(tx.conn())
        .await?)
}

/// Who asked not to be called is not called, whatever the rule for duplicates says, and whatever else is wrong with the row. The
/// other way round a person must decide.
async fn suppress(tx: &mut WriteTx, import: &Work, piece: &Piece) -> Result<Vec<ContactId>, AppError> {
    let mut reasons_by_phone = BTreeMap::new();
    for (phones, why) in piece.do_not_call() {
        for phone in phones {
            reasons_by_phone.entry(phone.to_string()).or_insert_with(|| why.reason(&import.file_name));
        }
    }
    let (phones, reasons): (Vec<String>, Vec<String>) = reasons_by_phone.into_iter().unzip();
    if phones.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar!(
        r#"update contacts c set do_not_call = true, do_not_call_reason = r.reason, do_not_call_at = now(), updated_at = now()
         from unnest($3::text[], $4::text[]) as r (phone, reason)
         where c.workspace_id = $1 and c.client_id = $2 and c.phone = r.phone and not c.do_not_call
         returning c.id as "id: ContactId""#,
        tx.workspace_uuid(),
        import.client_id.0,
        &phones,
        &reasons,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Tells other systems whom the piece has made, changed and suppressed.
async fn tell(tx: &mut WriteTx, import: &Work, piece: &Piece, suppressed: &[ContactId]) -> Result<(), AppError> {
    if !piece.people.is_empty() && patchbay_webhooks::server::listeners::any(tx.reading()).await? {
        let written = super::told::of_piece(tx, import).await?;
        told::changed(tx, &written).await?;
        let new = super::told::new_suppressed_of_piece(tx, import).await?;
        told::suppressed(tx, &new).await?;
    }
    told::suppressed(tx, suppressed).await
}

async fn rejects(tx: &mut WriteTx, import: &Work, piece: &Piece) -> Result<(), AppError> {
    if piece.refused.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = piece.refused.iter().map(|_| Uuid::now_v7()).collect();
    let lines: Vec<i64> = piece.refused.iter().map(|refused| refused.line as i64).collect();
    let reasons: Vec<String> = piece.refused.iter().map(|refused| refused.reason.clone()).collect();
    let rows: Vec<String> = piece.refused.iter().map(|refused| refused.raw.clone()).collect();
    sqlx::query!(
        "insert into contact_import_rejects (workspace_id, id, import_id, client_id, line, reason, raw)
         select $1, r.id, $2, $3, r.line, r.reason, r.raw
         from unnest($4::uuid[], $5::bigint[], $6::text[], $7::text[]) as r (id, line, reason, raw)",
        tx.workspace_uuid(),
        import.id.0,
        import.client_id.0,
        &ids,
        &lines,
        &reasons,
        &rows,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
