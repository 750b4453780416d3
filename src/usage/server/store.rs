//! Whose the figures are, and what numbers cost.

use std::collections::HashMap;

use chrono::NaiveDate;

use uuid::Uuid;

use crate::model::NumberRent;
use patchbay_access::server::ReadTx;
use patchbay_metering::server::rent::RentedNumber;
use patchbay_shared::ids::{AgentId, ClientId, NumberId};
use patchbay_shared::{AppError, Money};

/// Names of clients.
pub(crate) async fn client_names(tx: &mut ReadTx, ids: &[Uuid]) -> Result<HashMap<ClientId, String>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ClientId", name from clients where workspace_id = $1 and id = any($2)"#,
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Names of agents, deleted ones included.
pub(crate) async fn agent_names(tx: &mut ReadTx, ids: &[Uuid]) -> Result<HashMap<AgentId, String>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: AgentId", name from agents where workspace_id = $1 and id = any($2)"#,
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Numbers that were held at some time from `first` on, with whom they belong to now. What each costs is worked out by
/// `RentedNumber::rent`.
pub(crate) async fn numbers(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    first: NaiveDate,
    months: &[NaiveDate],
) -> Result<Vec<NumberRent>, AppError> {
    let rows = sqlx::query!(
        r#"select n.id as "id: NumberId", n.number, k.name as "client?", n.monthly_cost,
                  (n.purchased_at at time zone 'UTC')::date as "from!: NaiveDate",
                  (n.released_at at time zone 'UTC')::date as "until: NaiveDate"
           from agency_phone_numbers n left join clients k on k.workspace_id = $1 and k.id = n.client_id
           where n.workspace_id = $1 and ($2::uuid is null or n.client_id = $2) and n.purchased_at is not null
             and (n.released_at is null or n.released_at >= $3::date::timestamp at time zone 'UTC')
           order by k.name nulls last, n.number, n.id limit 2000"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        first
    )
    .fetch_all(tx.conn())
    .await?;
    let rents = rows.into_iter().map(|row| {
        let held = RentedNumber { monthly_cost: row.monthly_cost.map(Money), from: row.from, until: row.until };
        NumberRent {
            id: row.id,
            number: row.number,
            client: row.client,
            is_priced: held.monthly_cost.is_some(),
            months: months.iter().map(|month| held.rent(*month)).collect(),
        }
    });
    Ok(rents.collect())
}
