//! The calls that words stand in, and those in which somebody asked for a person.

use uuid::Uuid;

use super::plan_for_values;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// Calls in which the words stand: in the transcript, in the contact's name, or as a piece of a number (in the newest 5,000 calls: those
/// of the client, where the list is one client's, or row security would have all the others' read and left out).
pub(crate) async fn hits(tx: &mut ReadTx, client: Option<ClientId>, words: &str) -> Result<Vec<Uuid>, AppError> {
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && words.chars().all(|c| c.is_ascii_digit() || " +()-./".contains(c));
    let digits = is_number.then(|| digits.trim_start_matches("00").to_owned());
    let words: String = words.chars().filter(|c| *c != '\0').take(200).collect();
    let mut found = sqlx::query_scalar!(
        r#"select found.id as "id!" from (
             select search_call_messages($2, 2000) as id
             union
             select c.id from search_contacts($2, 500, $3) person cross join lateral (
               select c.id from calls c where c.workspace_id = $1 and c.contact_id = person
               order by c.started_at desc, c.id desc limit 20) c
           ) found"#,
        tx.workspace_uuid(),
        words,
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    if let Some(digits) = digits {
        plan_for_values(tx).await?;
        tx.read_in_order().await?;
        let near = sqlx::query_scalar!(
            r#"select near.id from (
                 select n.id, n."from", n."to" from calls n where n.workspace_id = $1 and ($3::uuid is null or n.client_id = $3)
                 order by n.started_at desc, n.id desc limit 5000) near
               where position($2 in coalesce(near."to", '')) > 0 or position($2 in coalesce(near."from", '')) > 0"#,
            tx.workspace_uuid(),
            digits,
            client.map(|id| id.0)
        )
        .fetch_all(tx.conn())
        .await?;
        tx.read_as_planned().await?;
        found.extend(near);
    }
    Ok(found)
}

/// The calls of which the dashboard says that they need a person.
pub(crate) async fn asked_for_a_person(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "select a.call_id from call_analyses a join calls c on c.workspace_id = $1 and c.id = a.call_id
         where a.workspace_id = $1 and a.result ->> 'escalation' = 'true' and a.created_at > now() - interval '7 days'
           and c.reviewed_at is null and ($2::uuid is null or c.client_id = $2)",
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?)
}
