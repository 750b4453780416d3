//! Who is calling: a contact of the client that the number belongs to.

use std::collections::BTreeMap;

use sqlx::types::Json;

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId};

/// A contact who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub id: ContactId,
    pub name: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub attributes: BTreeMap<String, String>,
    /// Asked not to be called.
    pub do_not_call: bool,
}

/// The client's contact with this number. Also one that is not to be called: the contact calls us.
pub async fn caller(tx: &mut ReadTx, client: ClientId, phone: &str) -> Result<Option<Caller>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: ContactId", name, company, email, attributes as "attributes: Json<BTreeMap<String, String>>",
                  do_not_call
           from contacts where workspace_id = $1 and client_id = $2 and phone = $3"#,
        tx.workspace_uuid(),
        client.0,
        phone
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Caller {
        id: row.id,
        name: row.name,
        company: row.company,
        email: row.email,
        attributes: row.attributes.0,
        do_not_call: row.do_not_call,
    }))
}
