//! Numbers that messages go out from (table of numbers: read only), and whether they tell us what comes to them.

use chrono::{DateTime, Utc};

use crate::model::NumberChoice;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, NumberId, TextRuleId};

/// Numbers that a client's messages can go out from: its own first.
pub(crate) async fn usable(tx: &mut ReadTx, client: ClientId) -> Result<Vec<NumberChoice>, AppError> {
    Ok(sqlx::query_as!(
        NumberChoice,
        r#"select id as "id: NumberId", number from agency_phone_numbers
           where workspace_id = $1 and status = 'active' and (client_id is null or client_id = $2)
             and (cardinality(capabilities) = 0 or 'sms' = any (capabilities))
           order by client_id is null, number limit 200"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// All numbers that messages can go out from, whosever they are, and the one of this rule as it is.
pub(crate) async fn all(tx: &mut ReadTx, rule: Option<TextRuleId>) -> Result<Vec<NumberChoice>, AppError> {
    Ok(sqlx::query_as!(
        NumberChoice,
        r#"select id as "id: NumberId", number from agency_phone_numbers
           where workspace_id = $1
             and ((status = 'active' and (cardinality(capabilities) = 0 or 'sms' = any (capabilities)))
               or id = (select r.from_number_id from text_rules r where r.workspace_id = $1 and r.id = $2))
           order by number limit 500"#,
        tx.workspace_uuid(),
        rule.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Numbers to narrow messages by: those that messages can go out from, and those that have sent some, as far as they were told where to
/// report what comes in.
pub(crate) async fn used(tx: &mut ReadTx) -> Result<Vec<NumberChoice>, AppError> {
    Ok(sqlx::query_as!(
        NumberChoice,
        r#"select n.id as "id: NumberId", case n.status when 'released' then n.number || ' (released)' else n.number end as "number!"
           from agency_phone_numbers n
           where n.workspace_id = $1
             and ((n.status = 'active' and (cardinality(n.capabilities) = 0 or 'sms' = any (n.capabilities)))
               or exists (select from text_numbers t where t.workspace_id = $1 and t.number_id = n.id))
           order by n.number, n.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The number of a call, if a message can go out from it, else the first one that can.
pub(crate) async fn best(
    tx: &mut ReadTx,
    client: ClientId,
    of_call: Option<&str>,
) -> Result<Option<NumberId>, AppError> {
    let all = usable(tx, client).await?;
    let same = all.iter().find(|choice| Some(choice.number.as_str()) == of_call);
    Ok(same.or(all.first()).map(|choice| choice.id))
}

/// Where a number was last told to send what comes in, why that went wrong, and when.
pub(crate) struct Heard {
    pub url: String,
    pub problem: Option<String>,
    pub looked_at: DateTime<Utc>,
}

/// The last that is known of a number. None: it was never told.
pub(crate) async fn heard(tx: &mut ReadTx, number: NumberId) -> Result<Option<Heard>, AppError> {
    Ok(sqlx::query_as!(
        Heard,
        "select url, problem, looked_at from text_numbers where workspace_id = $1 and number_id = $2",
        tx.workspace_uuid(),
        number.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn set_heard(
    tx: &mut WriteTx,
    number: NumberId,
    url: &str,
    problem: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into text_numbers (workspace_id, number_id, url, problem) values ($1, $2, $3, $4)
         on conflict (workspace_id, number_id) do update set url = $3, problem = $4, looked_at = now()",
        tx.workspace_uuid(),
        number.0,
        url,
        problem
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a number was told may hold no more: it is told again before the next message.
pub(crate) async fn forget_heard(tx: &mut WriteTx, number: NumberId) -> Result<(), AppError> {
    sqlx::query!(
        "update text_numbers set url = '' where workspace_id = $1 and number_id = $2",
        tx.workspace_uuid(),
        number.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Numbers whose answers do not come here, and why.
pub(crate) async fn silent(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select n.number, t.problem as "problem!" from text_numbers t
           join agency_phone_numbers n on n.workspace_id = $1 and n.id = t.number_id
           where t.workspace_id = $1 and t.problem is not null and n.status = 'active' order by n.number limit 20"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.number, row.problem)).collect())
}
