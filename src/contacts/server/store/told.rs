//! What other systems are told of contacts.

use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use super::imports::Work;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

/// A contact as it stands.
pub(crate) struct Contact {
    pub id: ContactId,
    pub client_id: ClientId,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    pub timezone: Option<String>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub do_not_call: bool,
    pub do_not_call_reason: Option<String>,
}

pub(crate) async fn contacts(tx: &mut WriteTx, ids: &[Uuid]) -> Result<Vec<Contact>, AppError> {
    Ok(sqlx::query_as!(
        Contact,
        r#"select id as "id: ContactId", client_id as "client_id: ClientId", name, phone, email, company, timezone,
                  attributes as "attributes: Json<BTreeMap<String, String>>", do_not_call, do_not_call_reason
           from contacts where workspace_id = $1 and id = any($2) order by id"#,
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whom the piece of an import that is being written has made or changed.
pub(crate) async fn of_piece(tx: &mut WriteTx, import: &Work) -> Result<Vec<ContactId>, AppError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select c.id from import_stage s join contacts c on c.workspace_id = $1 and c.client_id = $2 and c.phone = s.phone
         where c.import_id = $3",
    )
    .bind(tx.workspace_uuid())
    .bind(import.client_id)
    .bind(import.id)
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(ContactId).collect())
}

/// Who is new with it, under the id of the stage, and must not be called from the beginning.
pub(crate) async fn new_suppressed_of_piece(tx: &mut WriteTx, import: &Work) -> Result<Vec<ContactId>, AppError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select c.id from import_stage s join contacts c on c.workspace_id = $1 and c.client_id = $2 and c.id = s.id
         where s.do_not_call_reason is not null",
    )
    .bind(tx.workspace_uuid())
    .bind(import.client_id)
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(ContactId).collect())
}
