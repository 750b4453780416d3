//! Many contacts at once, for systems that are kept in step.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::Values;
use crate::server::synced::SyncedContact;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

struct Row {
    id: ContactId,
    name: String,
    phone: String,
    email: Option<String>,
    company: Option<String>,
    timezone: Option<String>,
    attributes: Json<BTreeMap<String, String>>,
    do_not_call: bool,
    updated_at: DateTime<Utc>,
}

impl From<Row> for SyncedContact {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            phone: row.phone,
            email: row.email,
            company: row.company,
            timezone: row.timezone,
            attributes: row.attributes.0,
            do_not_call: row.do_not_call,
            updated_at: row.updated_at,
        }
    }
}

/// Locked in the order of their ids, so that two who hold many wait for each other.
pub(crate) async fn hold(
    tx: &mut WriteTx,
    client: ClientId,
    ids: &[ContactId],
) -> Result<Vec<SyncedContact>, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: ContactId", name, phone, email, company, timezone,
                  attributes as "attributes: Json<BTreeMap<String, String>>", do_not_call, updated_at
           from contacts where workspace_id = $1 and client_id = $2 and id = any($3) order by id for no key update"#,
        tx.workspace_uuid(),
        client.0,
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(SyncedContact::from).collect())
}

pub(crate) async fn look(
    tx: &mut ReadTx,
    client: ClientId,
    ids: &[ContactId],
    phones: &[String],
    emails: &[String],
) -> Result<Vec<SyncedContact>, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let emails: Vec<String> = emails.iter().map(|email| email.to_lowercase()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: ContactId", name, phone, email, company, timezone,
                  attributes as "attributes: Json<BTreeMap<String, String>>", do_not_call, updated_at
           from contacts
           where workspace_id = $1 and client_id = $2
             and (id = any($3) or phone = any($4) or (cardinality($5::text[]) > 0 and lower(email) = any($5))) order by id"#,
        tx.workspace_uuid(),
        client.0,
        &ids,
        phones,
        &emails
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(SyncedContact::from).collect())
}

/// False: the client has the number.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: ContactId,
    client: ClientId,
    values: &Values<'_>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into contacts (workspace_id, id, client_id, name, phone, email, company, timezone, attributes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict on constraint contacts_phone_unique do nothing",
        tx.workspace_uuid(),
        id.0,
        client.0,
        values.name,
        values.phone.as_str(),
        values.email,
        values.company,
        values.timezone,
        Json(values.attributes) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether another contact of the client has the number.
pub(crate) async fn is_taken(tx: &mut ReadTx, client: ClientId, id: ContactId, phone: &str) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from contacts where workspace_id = $1 and client_id = $2 and phone = $3 and id <> $4) as "taken!""#,
        tx.workspace_uuid(),
        client.0,
        phone,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}
