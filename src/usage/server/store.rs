//! What models cost now, whose the figures are, and what numbers cost.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use uuid::Uuid;

use crate::model::NumberRent;
use patchbay_access::server::ReadTx;
use patchbay_metering::server::rent::RentedNumber;
use patchbay_shared::ids::{AgentId, ClientId, NumberId};
use patchbay_shared::{AppError, Money};

/// What answers of models cost, and how many of them have no price and are not in it.
#[derive(Debug, Clone, Copy)]
pub struct ModelSpend {
    pub cost: Money,
    pub unpriced: i64,
}

/// What the models' answers of a time cost, by client: the part of the spend that does not stand on the calls. `until`: none for no
/// end.
pub async fn models_by_client(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Result<HashMap<Option<ClientId>, ModelSpend>, AppError> {
    let rows = sqlx::query!(
        r#"select client_id as "client_id: ClientId", coalesce(sum(cost), 0) as "cost!",
                  count(*) filter (where cost is null) as "unpriced!"
           from token_usage
           where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3
             and ($4::timestamptz is null or created_at < $4)
           group by client_id"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        from,
        until
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.client_id, ModelSpend { cost: Money(row.cost), unpriced: row.unpriced }))
        .collect())
}

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
