//! Reads the audit log: its list, one event, and the words of its filters.

use chrono::{Days, NaiveDate, NaiveTime};
use serde_json::Value;

use crate::model::{AuditEvent, AuditField, AuditPage, AuditQuery, AuditRow};
use patchbay_access::Field;
use patchbay_access::server::ReadTx;
use patchbay_access::withheld::audit_shows;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// Events by newest first, `limit` of them.
pub async fn list(tx: &mut ReadTx, query: &AuditQuery, limit: usize) -> Result<Page<AuditRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<i64>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let client = tx.scope().client_id().map(|client| client.0);
    let sees_origin = tx.scope().sees(Field::AuditOrigin);
    let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<NaiveDate>().ok());
    let from = day(&query.from).map(|day| zone::instant(day, NaiveTime::MIN, zone));
    let before = day(&query.to)
        .and_then(|day| day.checked_add_days(Days::new(1)))
        .map(|day| zone::instant(day, NaiveTime::MIN, zone));
    let rows = sqlx::query!(
        r#"select e.seq, e.created_at, e.actor, e.action, e.entity, e.entity_id, e.ip, e.before, e.after, c.name as "client?"
           from audit_events e left join clients c on c.workspace_id = $1 and c.id = e.client_id
           where e.workspace_id = $1 and ($2::text is null or e.entity = $2) and ($10::text is null or e.action = $10)
             and ($3::text is null or e.actor ilike '%' || $3 || '%')
             and ($4::uuid is null or e.client_id = $4)
             and ($8::timestamptz is null or e.seq >= (select f.seq from audit_events f where f.workspace_id = $1 and f.created_at >= $8
                                                       order by f.created_at, f.seq limit 1))
             and ($9::timestamptz is null or e.seq <= (select l.seq from audit_events l where l.workspace_id = $1 and l.created_at < $9
                                                       order by l.created_at desc, l.seq desc limit 1))
             and ($5::bigint is null or ($6 and e.seq < $5) or (not $6 and e.seq > $5))
           order by case when $6 then e.seq end desc, case when not $6 then e.seq end limit $7"#,
        tx.workspace_uuid(),
        query.entity.as_deref().filter(|entity| !entity.is_empty()),
        query.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty()),
        client,
        key,
        older,
        limit as i64 + 1,
        from,
        before,
        query.action.as_deref().filter(|action| !action.is_empty()),
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let changes = changes(fields(&row.entity, row.before.as_ref(), row.after.as_ref(), client.is_some()));
            (row, changes)
        })
        .map(|(row, changes)| AuditRow {
            seq: row.seq,
            at: zone::stamp(row.created_at, now, zone),
            actor: row.actor,
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

/// A page with the words for its filters.
pub(crate) async fn page(tx: &mut ReadTx, query: &AuditQuery) -> Result<AuditPage, AppError> {
    Ok(AuditPage { page: list(tx, query, PAGE).await?, entities: entities(tx).await?, actions: actions(tx).await? })
}

/// One event by its number. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, seq: i64) -> Result<AuditEvent, AppError> {
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let client = tx.scope().client_id().map(|client| client.0);
    let sees_origin = tx.scope().sees(Field::AuditOrigin);
    let row = sqlx::query!(
        r#"select e.seq, e.created_at, e.actor, e.action, e.entity, e.entity_id, e.ip, e.before, e.after, e.request_id, e.previous_hash, e.hash,
                  c.name as "client?", k.prefix as "key?",
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
        fields: fields(&row.entity, row.before.as_ref(), row.after.as_ref(), client.is_some()),
        api_key: row.key.filter(|_| sees_origin),
        request_id: row.request_id.filter(|_| sees_origin),
        previous_hash: hex::encode(row.previous_hash),
        hash: hex::encode(row.hash),
        older: row.older,
        newer: row.newer,
        row: AuditRow {
            seq: row.seq,
            at: zone::stamp(row.created_at, now, zone),
            actor: row.actor,
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
fn fields(entity: &str, before: Option<&Value>, after: Option<&Value>, is_client: bool) -> Vec<AuditField> {
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
fn changes(fields: Vec<AuditField>) -> Vec<(String, String, String)> {
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
