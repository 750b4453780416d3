//! Lists below an integration: its syncs, what they did record by record, what failed, and messages.

use uuid::Uuid;

use crate::model::{
    BelowQuery, MessageRow, MessageState, MessageWay, PendingRow, Reach, RecordAction, RecordResult, RecordRow, Remedy,
    SyncRow, SyncStatus, SyncType, Way,
};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{
    CallId, ContactId, IntegrationId, IntegrationMessageId, PendingRecordId, SyncId, SyncRecordId,
};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::{exact, stamp};
use patchbay_shared::{AppError, Cursor, Page};

/// Rows on a page of a list.
pub(crate) const ROWS: usize = 50;

/// The place that a list by id goes on from. Ids are made in the order of time.
pub(super) struct Place {
    cursor: Option<Cursor>,
    pub(super) id: Option<Uuid>,
    /// Read from the smallest id on.
    pub(super) ascending: bool,
}

impl Place {
    /// `oldest`: what the address says when the oldest stands first.
    pub(super) fn of(query: &BelowQuery, oldest: &str) -> Self {
        let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
        let id = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
        let is_backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
        Self { id, ascending: (query.sort.as_deref() == Some(oldest)) != is_backwards, cursor }
    }

    pub(super) fn cut<R>(&self, rows: Vec<R>, limit: usize, id: impl Fn(&R) -> Uuid) -> Page<R> {
        Page::cut(rows, limit, self.cursor.as_ref(), |row| id(row).to_string())
    }
}

/// Syncs of an integration, the newest first.
pub(crate) async fn syncs(
    tx: &mut ReadTx,
    integration: IntegrationId,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<SyncRow>, AppError> {
    sync_page(tx, integration, None, query, limit).await
}

/// One of them. Errors: `NotFound`.
pub(crate) async fn sync(tx: &mut ReadTx, integration: IntegrationId, id: SyncId) -> Result<SyncRow, AppError> {
    let found = sync_page(tx, integration, Some(id), &BelowQuery::default(), 1).await?;
    found.rows.into_iter().next().ok_or(AppError::NotFound)
}

async fn sync_page(
    tx: &mut ReadTx,
    integration: IntegrationId,
    one: Option<SyncId>,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<SyncRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query, "started"));
    let rows = sqlx::query!(
        r#"select s.id as "id: SyncId", s.sync_type as "kind: SyncType", s.reach as "reach: Reach", s.status as "status: SyncStatus",
                  s.created_at, coalesce(s.finished_at, now()) as "until!", s.items_read, s.items_written, s.items_skipped, s.items_failed,
                  s.error_message, u.name as "by?", s.cancel_requested_at is not null as "is_cancelling!"
           from integration_sync_logs s left join users u on u.id = s.user_id
           where s.workspace_id = $1 and s.integration_id = $2 and ($3::uuid is null or s.id = $3)
             and ($4::text is null or case $4 when 'some' then s.status = 'success' and s.items_failed > 0
                                              when 'success' then s.status = 'success' and s.items_failed = 0
                                              else s.status::text = $4 end)
             and ($5::text is null or s.sync_type::text = $5)
             and ($6::uuid is null or case when $7 then s.id > $6 else s.id < $6 end)
           order by case when $7 then s.id end, case when not $7 then s.id end desc
           limit $8"#,
        tx.workspace_uuid(),
        integration.0,
        one.map(|id| id.0),
        filled(query.state.as_deref()),
        filled(query.kind.as_deref()),
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| SyncRow {
            id: row.id,
            kind: row.kind,
            reach: row.reach,
            status: row.status,
            started: exact(row.created_at, now, zone),
            seconds: (row.until - row.created_at).num_seconds().max(0),
            read: row.items_read.into(),
            written: row.items_written.into(),
            skipped: row.items_skipped.into(),
            failed: row.items_failed.into(),
            message: row.error_message,
            by: row.by,
            is_cancelling: row.is_cancelling && row.status == SyncStatus::Running,
        })
        .collect();
    Ok(place.cut(rows, limit, |row: &SyncRow| row.id.0))
}

/// What a sync did, the last first.
pub(crate) async fn records(
    tx: &mut ReadTx,
    sync: SyncId,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<RecordRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query, "at"));
    let rows = sqlx::query!(
        r#"select id as "id: SyncRecordId", at, action as "action: RecordAction", result as "result: RecordResult", remote_kind, remote_id,
                  contact_id as "contact: ContactId", call_id as "call: CallId", label, message
           from integration_sync_records
           where workspace_id = $1 and sync_id = $2
             and ($3::text is null or label ilike $3 or message ilike $3 or remote_id ilike $3)
             and ($4::text is null or result = $4) and ($5::text is null or action = $5)
             and ($6::uuid is null or case when $7 then id > $6 else id < $6 end)
           order by case when $7 then id end, case when not $7 then id end desc
           limit $8"#,
        tx.workspace_uuid(),
        sync.0,
        like(query.words.as_deref()),
        filled(query.state.as_deref()),
        filled(query.action.as_deref()),
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| RecordRow {
            id: row.id,
            at: exact(row.at, now, zone),
            action: row.action,
            result: row.result,
            remote_kind: row.remote_kind,
            remote_id: row.remote_id,
            contact: row.contact,
            call: row.call,
            label: row.label,
            message: row.message,
        })
        .collect();
    Ok(place.cut(rows, limit, |row: &RecordRow| row.id.0))
}

/// Records that failed, the newest first.
pub(crate) async fn failed(
    tx: &mut ReadTx,
    integration: IntegrationId,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<PendingRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query, "since"));
    let rows = sqlx::query!(
        r#"select id as "id: PendingRecordId", direction as "way: Way", kind, contact_id as "contact: ContactId", call_id as "call: CallId",
                  remote_id, label, coalesce(problem, '') as "problem!", coalesce(remedy, 'retry') as "remedy!: Remedy", tries, next_try_at,
                  given_up_at is not null as "is_given_up!", created_at, detail
           from integration_pending
           where workspace_id = $1 and integration_id = $2 and problem is not null
             and ($3::text is null or label ilike $3 or problem ilike $3)
             and ($4::text is null or coalesce(remedy, 'retry') = $4) and ($5::text is null or direction = $5)
             and ($6::text is null or kind = $6)
             and ($7::uuid is null or case when $8 then id > $7 else id < $7 end)
           order by case when $8 then id end, case when not $8 then id end desc
           limit $9"#,
        tx.workspace_uuid(),
        integration.0,
        like(query.words.as_deref()),
        filled(query.remedy.as_deref()),
        filled(query.way.as_deref()),
        filled(query.kind.as_deref()),
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let detail = row.detail.unwrap_or_default();
            let text = |key: &str| detail[key].as_str().map(str::to_owned);
            let choice = text("field").zip(text("theirs")).filter(|_| row.remedy == Remedy::Choose);
            PendingRow {
                id: row.id,
                way: row.way,
                kind: row.kind,
                contact: row.contact,
                call: row.call,
                remote_id: row.remote_id,
                label: row.label,
                problem: row.problem,
                remedy: row.remedy,
                tries: row.tries,
                next_try: (!row.is_given_up).then(|| stamp(row.next_try_at, now, zone)),
                since: stamp(row.created_at, now, zone),
                choice: choice.map(|(field, theirs)| (field, text("ours").unwrap_or_default(), theirs)),
                lives_on: text("remote_id").filter(|_| row.remedy == Remedy::Follow),
                unknown: text("property").zip(text("value")).filter(|_| row.remedy == Remedy::Map),
            }
        })
        .collect();
    Ok(place.cut(rows, limit, |row: &PendingRow| row.id.0))
}

/// Messages of an integration, the newest first.
pub(crate) async fn messages(
    tx: &mut ReadTx,
    integration: IntegrationId,
    query: &BelowQuery,
    limit: usize,
) -> Result<Page<MessageRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query, "at"));
    let rows = sqlx::query!(
        r#"select id as "id: IntegrationMessageId", at, direction as "way: MessageWay", state as "state: MessageState", event_type, subject,
                  subject_id, body, tries, next_try_at, done_at, answer_status, answer, problem
           from integration_messages
           where workspace_id = $1 and integration_id = $2
             and ($3::text is null or body ilike $3 or problem ilike $3 or event_type ilike $3)
             and ($4::text is null or state = $4) and ($5::text is null or direction = $5)
             and ($6::uuid is null or case when $7 then id > $6 else id < $6 end)
           order by case when $7 then id end, case when not $7 then id end desc
           limit $8"#,
        tx.workspace_uuid(),
        integration.0,
        like(query.words.as_deref()),
        filled(query.state.as_deref()),
        filled(query.way.as_deref()),
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| MessageRow {
            id: row.id,
            at: exact(row.at, now, zone),
            way: row.way,
            state: row.state,
            event: row.event_type,
            about: about(row.subject.as_deref(), row.subject_id),
            body: row.body,
            tries: row.tries,
            next_try: row.next_try_at.map(|at| stamp(at, now, zone)),
            done: row.done_at.map(|at| stamp(at, now, zone)),
            answer_status: row.answer_status,
            answer: row.answer.filter(|answer| !answer.is_empty()),
            problem: row.problem,
        })
        .collect();
    Ok(place.cut(rows, limit, |row: &MessageRow| row.id.0))
}

/// The page of what a message is about.
fn about(subject: Option<&str>, id: Option<Uuid>) -> Option<String> {
    let place = match subject? {
        "call" => "calls",
        "batch" => "batches",
        "contact" => "contacts",
        "campaign" => "campaigns",
        "client" => "clients",
        _ => return None,
    };
    Some(format!("/{place}/{}", id?))
}
