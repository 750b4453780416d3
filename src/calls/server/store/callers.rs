//! Callers who were no contact when they called, and the lines that calls take.

use chrono::{DateTime, Utc};

use crate::model::query::encoded;
use crate::model::{CallDirection, MissedReason};
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId};

/// Calls of the workspace that go on, ours and incoming.
pub async fn lines_in_use(tx: &mut ReadTx) -> Result<i64, AppError> {
    let w = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from calls where workspace_id = $1 and result is null"#, w)
        .fetch_one(tx.conn())
        .await?)
}

/// Calls that came from this number while nobody knew whose it was become the contact's. Gives which.
pub async fn link_caller(
    tx: &mut WriteTx,
    client: ClientId,
    contact: ContactId,
    phone: &str,
    name: &str,
) -> Result<Vec<CallId>, AppError> {
    // Locked in their order, as everywhere.
    Ok(sqlx::query_scalar!(
        r#"update calls set contact_id = $3, contact_name = case when contact_name = '' then $5 else contact_name end, updated_at = now()
           where workspace_id = $1 and id in (
             select id from calls where workspace_id = $1 and client_id = $2 and "from" = $4 and contact_id is null
               and direction = 'inbound' order by id for update)
           returning id as "id: CallId""#,
        tx.workspace_uuid(),
        client.0,
        contact.0,
        phone,
        name
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Holds calls that came from these numbers while nobody knew whose they were, until the commit: for those who hold contacts afterwards
/// and link such calls to them.
pub async fn hold_callers(tx: &mut WriteTx, client: ClientId, phones: &[String]) -> Result<(), AppError> {
    sqlx::query_scalar!(
        r#"select id from calls where workspace_id = $1 and client_id = $2 and "from" = any($3) and contact_id is null
             and direction = 'inbound' order by id for update"#,
        tx.workspace_uuid(),
        client.0,
        phones
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// As `link_caller` for all callers of a client who have become contacts since they called (their own table: read for the numbers).
/// True if there was one.
pub async fn link_callers(tx: &mut WriteTx, client: ClientId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        r#"update calls c set contact_id = known.contact,
                  contact_name = case when c.contact_name = '' then known.name else c.contact_name end, updated_at = now()
           from (select u.id, k.id as contact, k.name
                 from calls u join contacts k on k.workspace_id = $1 and k.client_id = $2 and k.phone = u."from"
                 where u.workspace_id = $1 and u.client_id = $2 and u.contact_id is null and u.direction = 'inbound'
                 order by u.id for update of u) known
           where c.workspace_id = $1 and c.id = known.id"#,
        tx.workspace_uuid(),
        client.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Why nobody answered a call that came in and is over.
pub(super) fn missed(
    word: Option<&str>,
    joined: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
) -> Option<MissedReason> {
    word.filter(|_| joined.is_none() && ended.is_some()).and_then(|word| word.parse().ok())
}

/// The same in a few words, for lists, as far as the viewer may know it.
pub fn missed_words(
    scope: &Scope,
    word: Option<&str>,
    joined: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
) -> Option<String> {
    let reason = missed(word, joined, ended)?;
    Some(if scope.sees(Field::CallError) { reason.label() } else { reason.for_client() }.to_owned())
}

/// Where somebody who called and is no contact becomes one. None: the viewer may not, or it is not known who called or whose contact it
/// would be.
pub(super) fn add_address(
    scope: &Scope,
    direction: CallDirection,
    (contact, client): (Option<ContactId>, Option<ClientId>),
    from: Option<&str>,
) -> Option<String> {
    let (client, from) = client.zip(from)?;
    let is_unknown = direction == CallDirection::Inbound && contact.is_none() && scope.may(Action::ManageContacts);
    is_unknown.then(|| format!("/contacts/new?client={client}&phone={}", encoded(from)))
}
