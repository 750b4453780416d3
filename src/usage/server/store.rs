//! Sums of talk, tokens and money by day, client and model.

use chrono::{DateTime, NaiveDate, Utc};

use crate::model::{ClientMonth, ModelUsage, UsageDay};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money};

/// Puts calls, talk and its money into the days. Returns how many calls are not priced yet.
pub(crate) async fn talk(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    zone: &str,
    days: &mut [UsageDay],
) -> Result<i64, AppError> {
    let rows = sqlx::query!(
        r#"select (started_at at time zone $4)::date as "day!: NaiveDate", count(*) as "calls!",
                  coalesce(sum(duration), 0)::bigint as "seconds!", coalesce(sum(voice_cost), 0) as "voice!",
                  coalesce(sum(carrier_cost), 0) as "carrier!",
                  count(*) filter (where joined_at is not null and ended_at is not null and billed_seconds is null) as "unpriced!"
           from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2) and started_at >= $3 group by 1"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        from,
        zone
    )
    .fetch_all(tx.conn())
    .await?;
    let mut unpriced = 0;
    for row in rows {
        unpriced += row.unpriced;
        let name = row.day.to_string();
        if let Some(day) = days.iter_mut().find(|day| day.day == name) {
            (day.calls, day.seconds) = (row.calls, row.seconds);
            (day.voice, day.carrier) = (Money(row.voice), Money(row.carrier));
        }
    }
    Ok(unpriced)
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
        r#"select (created_at at time zone $4)::date as "day!: NaiveDate", sum(total_tokens)::bigint as "tokens!", sum(cost) as "cost!"
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
            (day.tokens, day.model) = (row.tokens, Money(row.cost));
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
        r#"select count(*) as "calls!", count(*) filter (where ended_at is not null) as "ended!",
                  count(*) filter (where joined_at is not null and ended_at is not null) as "reached!",
                  coalesce(sum(duration), 0)::bigint as "seconds!", coalesce(sum(voice_cost), 0) as "voice!",
                  coalesce(sum(carrier_cost), 0) as "carrier!",
                  count(*) filter (where joined_at is not null and ended_at is not null and billed_seconds is null) as "unpriced!"
           from calls where workspace_id = $1 and client_id = $2 and started_at >= $3 and started_at < $4"#,
        tx.workspace_uuid(),
        client.0,
        from,
        until
    )
    .fetch_one(tx.conn())
    .await?;
    let models = sqlx::query!(
        r#"select coalesce(sum(total_tokens), 0)::bigint as "tokens!", coalesce(sum(cost), 0) as "cost!"
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
            ..UsageDay::default()
        },
        ended: talk.ended,
        reached: talk.reached,
        unpriced: talk.unpriced,
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
                  sum(completion_tokens)::bigint as "completion_tokens!", bool_or(is_estimated) as "is_estimated!", sum(cost) as "cost!"
           from token_usage where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3
           group by model, purpose order by sum(cost) desc, model, purpose limit 100"#,
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
            cost: Money(row.cost),
        })
        .collect())
}
