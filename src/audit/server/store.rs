//! Reads the audit log: its list, one event, and the words of its filters.

use serde_json::Value;
use uuid::Uuid;

use super::told::{machine_words, told_changes, told_field};
use crate::model::{AuditEvent, AuditField, AuditPage, AuditQuery, AuditRow};
use patchbay_access::Field;
use patchbay_access::server::ReadTx;
use patchbay_access::withheld::{audit_shows, without_key};
use patchbay_shared::zone::Span;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// Events by newest first, `limit` of them. Errors: `Invalid` at a date.
pub async fn list(tx: &mut ReadTx, query: &AuditQuery, limit: usize) -> Result<Page<AuditRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<i64>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let own = tx.scope().client_id().map(|client| client.0);
    let sees_origin = tx.scope().sees(Field::AuditOrigin);
    let span = zone::days(query.from.as_deref(), query.to.as_deref(), zone)?;
    let (first, last) = bounds(tx, span).await?;
    // A page that names something that is no id shows no events, and not all of them.
    let id = |text: &Option<String>| some(text).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let actors = match some(&query.actor) {
        Some(words) => Some(actors(tx, words, sees_origin).await?),
        None => None,
    };
    let rows = sqlx::query!(
        r#"select e.seq, e.created_at, e.actor, e.action, e.entity, e.entity_id, e.ip, e.before, e.after, c.name as "client?"
           from audit_events e left join clients c on c.workspace_id = $1 and c.id = e.client_id
           where e.workspace_id = $1 and ($2::text is null or e.entity = $2) and ($10::text is null or e.action = $10)
             and ($3::text[] is null or e.actor = any($3))
             and ($4::uuid is null or e.client_id = $4)
             and ($11::uuid is null or e.api_key_id = $11) and ($12::uuid is null or e.support_session_id = $12)
             and ($13::uuid is null or e.client_id = $13) and ($14::uuid is null or e.entity_id = $14)
             and ($8::bigint is null or e.seq >= $8) and ($9::bigint is null or e.seq <= $9)
             and ($5::bigint is null or ($6 and e.seq < $5) or (not $6 and e.seq > $5))
           order by case when $6 then e.seq end desc, case when not $6 then e.seq end limit $7"#,
        tx.workspace_uuid(),
        some(&query.entity),
        actors.as_deref(),
        own,
        key,
        older,
        limit as i64 + 1,
        first,
        last,
        some(&query.action),
        id(&query.key),
        id(&query.support),
        id(&query.client),
        id(&query.record),
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let changes = changes(fields(&row.entity, row.before.as_ref(), row.after.as_ref(), own.is_some()));
            (row, changes)
        })
        .map(|(row, changes)| AuditRow {
            seq: row.seq,
            at: zone::exact(row.created_at, now, zone),
            actor: who(row.actor, sees_origin),
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id.map(|id| id.to_string()),
            client: row.client,
            ip: row.ip.filter(|_| sees_origin),
            changes,
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.seq.to_string()))
}

/// The numbers of the first and last event of a time: rows are found by number, and the planner knows how many there are between two of
/// them only if they are given.
async fn bounds(tx: &mut ReadTx, span: Span) -> Result<(Option<i64>, Option<i64>), AppError> {
    let (mut first, mut last) = (None, None);
    if let Some(from) = span.from {
        let found = sqlx::query_scalar!(
            "select seq from audit_events where workspace_id = $1 and created_at >= $2 order by created_at, seq limit 1",
            tx.workspace_uuid(),
            from
        );
        first = Some(found.fetch_optional(tx.conn()).await?.unwrap_or(i64::MAX));
    }
    if let Some(before) = span.before {
        let found = sqlx::query_scalar!(
            "select seq from audit_events where workspace_id = $1 and created_at < $2 order by created_at desc, seq desc limit 1",
            tx.workspace_uuid(),
            before
        );
        last = Some(found.fetch_optional(tx.conn()).await?.unwrap_or(0));
    }
    Ok((first, last))
}

/// A filter that is set.
fn some(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// Who did it, as far as the reader may know.
fn who(actor: String, sees_origin: bool) -> String {
    if sees_origin { actor } else { without_key(&actor).to_owned() }
}

/// Who stands in the audit log under a name with these words in it, as the reader reads the name. They are few, however long the log is:
/// each is found by one look into the index.
async fn actors(tx: &mut ReadTx, words: &str, sees_origin: bool) -> Result<Vec<String>, AppError> {
    let words: String = words.chars().filter(|letter| *letter != '\0').take(200).collect();
    let mut found = sqlx::query_scalar!(
        r#"with recursive known as (
             (select actor from audit_events where workspace_id = $1 order by actor limit 1)
             union all
             select (select e.actor from audit_events e where e.workspace_id = $1 and e.actor > known.actor order by e.actor limit 1)
             from known where known.actor is not null
           ) select actor as "actor!" from known where position(lower($2) in lower(actor)) > 0 limit 1000"#,
        tx.workspace_uuid(),
        words
    )
    .fetch_all(tx.conn())
    .await?;
    let words = words.to_lowercase();
    found.retain(|actor| sees_origin || without_key(actor).to_lowercase().contains(&words));
    Ok(found)
}

/// A page with the words for its filters.
pub(crate) async fn page(tx: &mut ReadTx, query: &AuditQuery) -> Result<AuditPage, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let page = list(tx, query, PAGE).await?.map(|row| AuditRow {
        actor: machine_words(&row.actor),
        changes: told_changes(row.changes, now, zone),
        ..row
    });
    let is_agency = tx.scope().client_id().is_none();
    let (keys, supports, clients) =
        if is_agency { (keys(tx).await?, supports(tx).await?, clients(tx).await?) } else { Default::default() };
    let record = match some(&query.record) {
        Some(id) => Some((id.to_owned(), record(tx, id).await?)),
        None => None,
    };
    Ok(AuditPage { page, entities: entities(tx).await?, actions: actions(tx).await?, keys, supports, clients, record })
}

/// API keys, revoked ones too, the newest first.
async fn keys(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name, prefix from api_keys where workspace_id = $1 order by id desc limit 200",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} ({}…)", row.name, row.prefix))).collect())
}

/// Support sessions, the newest first.
async fn supports(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let rows = sqlx::query!(
        r#"select entity_id as "id!", actor, created_at from audit_events
           where workspace_id = $1 and entity = 'support_session' and action = 'opened' and entity_id is not null
           order by seq desc limit 100"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    let label = |actor: &str, at| format!("{}, {}", zone::moment_text(at, now, zone), actor);
    Ok(rows.into_iter().map(|row| (row.id.to_string(), label(&row.actor, row.created_at))).collect())
}

/// Clients by name.
async fn clients(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name from clients where workspace_id = $1 order by name, id limit 1000",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// What the record with this id is, as the newest event that the viewer sees of it says.
async fn record(tx: &mut ReadTx, id: &str) -> Result<String, AppError> {
    let client = tx.scope().client_id().map(|client| client.0);
    let row = sqlx::query!(
        "select entity, before, after from audit_events
         where workspace_id = $1 and entity_id = $2 and ($3::uuid is null or client_id = $3) order by seq desc limit 20",
        tx.workspace_uuid(),
        id.parse::<Uuid>().unwrap_or_default(),
        client
    )
    .fetch_all(tx.conn())
    .await?;
    let Some(newest) = row.first() else { return Ok("without events".to_owned()) };
    let entity = newest.entity.replace('_', " ");
    let sides = row.iter().flat_map(|row| [row.after.as_ref(), row.before.as_ref()]).flatten();
    let name = sides.flat_map(|side| ["name", "number", "email", "file"].map(|field| side.get(field))).flatten();
    let name = name.filter_map(Value::as_str).find(|name| !name.is_empty());
    Ok(name.map_or_else(|| entity.clone(), |name| format!("{entity} {}", short(Some(name.to_owned())))))
}

/// One event by its number. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, seq: i64) -> Result<AuditEvent, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let client = tx.scope().client_id().map(|client| client.0);
    let sees_origin = tx.scope().sees(Field::AuditOrigin);
    let row = sqlx::query!(
        r#"select e.seq, e.created_at, e.actor, e.action, e.entity, e.entity_id, e.ip, e.before, e.after, e.request_id, e.previous_hash, e.hash,
                  e.kind, e.support_session_id, c.name as "client?", k.prefix as "key?",
                  (select o.seq from audit_events o where o.workspace_id = $1 and o.seq < $2 and ($3::uuid is null or o.client_id = $3)
                   order by o.seq desc limit 1) as older,
                  (select n.seq from audit_events n where n.workspace_id = $1 and n.seq > $2 and ($3::uuid is null or n.client_id = $3)
                   order by n.seq limit 1) as newer
           from audit_events e left join clients c on c.workspace_id = $1 and c.id = e.client_id
           left join api_keys k on k.workspace_id = $1 and k.id = e.api_key_id
           where e.workspace_id = $1 and e.seq = $2 and ($3::uuid is null or e.client_id = $3)"#,
        tx.workspace_uuid(),
        seq,
        client
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(AuditEvent {
        fields: fields(&row.entity, row.before.as_ref(), row.after.as_ref(), client.is_some())
            .into_iter()
            .map(|field| told_field(field, now, zone))
            .collect(),
        api_key: row.key.filter(|_| sees_origin),
        support_session: row.support_session_id.map(|id| id.to_string()).filter(|_| sees_origin),
        happened: row.kind.as_deref() == Some("happened"),
        request_id: row.request_id.filter(|_| sees_origin),
        previous_hash: hex::encode(row.previous_hash),
        hash: hex::encode(row.hash),
        older: row.older,
        newer: row.newer,
        row: AuditRow {
            seq: row.seq,
            at: zone::exact(row.created_at, now, zone),
            actor: machine_words(&who(row.actor, sees_origin)),
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id.map(|id| id.to_string()),
            client: row.client,
            ip: row.ip.filter(|_| sees_origin),
            changes: Vec::new(),
        },
    })
}

/// The verbs that stand in the audit log, for the filter.
async fn actions(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"with recursive kinds as (
             (select action from audit_events where workspace_id = $1 order by action limit 1)
             union all
             select (select e.action from audit_events e where e.workspace_id = $1 and e.action > kinds.action order by e.action limit 1)
             from kinds where kinds.action is not null
           ) select action as "action!" from kinds where action is not null"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The entities that stand in the audit log, for the filter.
async fn entities(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"with recursive kinds as (
             (select entity from audit_events where workspace_id = $1 order by entity limit 1)
             union all
             select (select e.entity from audit_events e where e.workspace_id = $1 and e.entity > kinds.entity order by e.entity limit 1)
             from kinds where kinds.entity is not null
           ) select entity as "entity!" from kinds where entity is not null"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Every field of an event that the reader may see. What is an object on either side counts as its fields.
pub(super) fn fields(entity: &str, before: Option<&Value>, after: Option<&Value>, is_client: bool) -> Vec<AuditField> {
    let empty = serde_json::Map::new();
    let (old, new) =
        (before.and_then(Value::as_object).unwrap_or(&empty), after.and_then(Value::as_object).unwrap_or(&empty));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let side = |side: &serde_json::Map<String, Value>, name: &String| side.get(name).map(text);
    let field =
        |name: &String| AuditField { name: name.replace('_', " "), before: side(old, name), after: side(new, name) };
    names.into_iter().filter(|name| !is_client || audit_shows(entity, name)).map(field).collect()
}

/// What differs, as short text: field, before, after.
pub(super) fn changes(fields: Vec<AuditField>) -> Vec<(String, String, String)> {
    let differing = fields.into_iter().filter(AuditField::differs);
    differing.map(|field| (field.name, short(field.before), short(field.after))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        other => other.to_string(),
    }
}

fn short(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    if text.chars().count() > 160 { text.chars().take(159).chain(['…']).collect() } else { text }
}
