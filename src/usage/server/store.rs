//! Sums of talk, tokens and money by day, client and model.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::{ClientMonth, ModelUsage, NumberRent, UsageDay};
use patchbay_access::server::ReadTx;
use patchbay_metering::server::rent::RentedNumber;
use patchbay_shared::ids::{ClientId, NumberId};
use patchbay_shared::{AppError, Money};

/// Puts calls, talk and its money into the days.
pub(crate) async fn talk(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    zone: &str,
    days: &mut [UsageDay],
) -> Result<(), AppError> {
    let rows = sqlx::query!(
        r#"select (started_at at time zone $4)::date as "day!: NaiveDate", count(*) as "calls!",
                  coalesce(sum(duration), 0)::bigint as "seconds!", coalesce(sum(voice_cost), 0) as "voice!",
                  coalesce(sum(carrier_cost), 0) as "carrier!", count(*) filter (where is_unpriced) as "unpriced!"
           from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2) and started_at >= $3 group by 1"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        from,
        zone
    )
    .fetch_all(tx.conn())
    .await?;
    for row in rows {
        let name = row.day.to_string();
        if let Some(day) = days.iter_mut().find(|day| day.day == name) {
            (day.calls, day.seconds, day.unpriced) = (row.calls, row.seconds, row.unpriced);
            (day.voice, day.carrier) = (Money(row.voice), Money(row.carrier));
        }
    }
    Ok(())
}

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

/// Everything since a moment, as one figure.
pub async fn total(tx: &mut ReadTx, from: DateTime<Utc>) -> Result<UsageDay, AppError> {
    let row = sqlx::query!(
        r#"select c.calls as "calls!", c.seconds as "seconds!", c.voice as "voice!", c.carrier as "carrier!", t.tokens as "tokens!", t.model as "model!"
           from (select count(*) as calls, coalesce(sum(duration), 0)::bigint as seconds, coalesce(sum(voice_cost), 0) as voice,
                        coalesce(sum(carrier_cost), 0) as carrier from calls where workspace_id = $1 and started_at >= $2) c,
                (select coalesce(sum(total_tokens), 0)::bigint as tokens, coalesce(sum(cost), 0) as model
                 from token_usage where workspace_id = $1 and created_at >= $2) t"#,
        tx.workspace_uuid(),
        from
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(UsageDay {
        calls: row.calls,
        seconds: row.seconds,
        tokens: row.tokens,
        voice: Money(row.voice),
        carrier: Money(row.carrier),
        model: Money(row.model),
        ..UsageDay::default()
    })
}

/// Puts tokens and their money into the days.
pub(crate) async fn tokens(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    zone: &str,
    days: &mut [UsageDay],
) -> Result<(), AppError> {
    let rows = sqlx::query!(
        r#"select (created_at at time zone $4)::date as "day!: NaiveDate", sum(total_tokens)::bigint as "tokens!",
                  coalesce(sum(cost), 0) as "cost!", count(*) filter (where cost is null) as "unpriced!"
           from token_usage where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3 group by 1"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        from,
        zone
    )
    .fetch_all(tx.conn())
    .await?;
    for row in rows {
        let name = row.day.to_string();
        if let Some(day) = days.iter_mut().find(|day| day.day == name) {
            (day.tokens, day.model, day.unpriced_answers) = (row.tokens, Money(row.cost), row.unpriced);
        }
    }
    Ok(())
}

/// One client's calls, talk, tokens and money in `from..until`.
pub(crate) async fn month(
    tx: &mut ReadTx,
    client: ClientId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<ClientMonth, AppError> {
    let talk = sqlx::query!(
        r#"select count(*) as "calls!", count(result) as "ended!", count(*) filter (where result = 'answered') as "answered!",
                  count(*) filter (where goal_reached) as "goals!",
                  coalesce(sum(duration), 0)::bigint as "seconds!", coalesce(sum(voice_cost), 0) as "voice!",
                  coalesce(sum(carrier_cost), 0) as "carrier!", count(*) filter (where is_unpriced) as "unpriced!"
           from calls where workspace_id = $1 and client_id = $2 and started_at >= $3 and started_at < $4"#,
        tx.workspace_uuid(),
        client.0,
        from,
        until
    )
    .fetch_one(tx.conn())
    .await?;
    let models = sqlx::query!(
        r#"select coalesce(sum(total_tokens), 0)::bigint as "tokens!", coalesce(sum(cost), 0) as "cost!",
                  count(*) filter (where cost is null) as "unpriced!"
           from token_usage where workspace_id = $1 and client_id = $2 and created_at >= $3 and created_at < $4"#,
        tx.workspace_uuid(),
        client.0,
        from,
        until
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(ClientMonth {
        total: UsageDay {
            calls: talk.calls,
            seconds: talk.seconds,
            tokens: models.tokens,
            voice: Money(talk.voice),
            carrier: Money(talk.carrier),
            model: Money(models.cost),
            unpriced: talk.unpriced,
            unpriced_answers: models.unpriced,
            ..UsageDay::default()
        },
        ended: talk.ended,
        answered: talk.answered,
        goals: talk.goals,
        ..ClientMonth::default()
    })
}

/// Tokens and money by model, the most expensive first.
pub(crate) async fn models(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
) -> Result<Vec<ModelUsage>, AppError> {
    let rows = sqlx::query!(
        r#"select model, purpose, count(*) as "answers!", sum(prompt_tokens)::bigint as "prompt_tokens!",
                  sum(completion_tokens)::bigint as "completion_tokens!", bool_or(is_estimated) as "is_estimated!",
                  sum(cost) as cost, count(*) filter (where cost is null) as "unpriced!"
           from token_usage where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3
           group by model, purpose order by sum(cost) desc nulls last, model, purpose limit 100"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        from
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ModelUsage {
            model: row.model,
            purpose: row.purpose,
            answers: row.answers,
            prompt_tokens: row.prompt_tokens,
            completion_tokens: row.completion_tokens,
            is_estimated: row.is_estimated,
            cost: row.cost.map(Money),
            unpriced: row.unpriced,
        })
        .collect())
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
