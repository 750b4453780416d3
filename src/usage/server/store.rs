use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::RoundingStrategy;
use uuid::Uuid;

use crate::access::server::{ReadTx, WriteTx};
use crate::clients::server::budget;
use crate::providers::chat::ChatUsage;
use crate::shared::ids::{AgentId, CallId, ClientId, UserId};
use crate::shared::{AppError, Money};
use crate::usage::model::{ClientMonth, ModelUsage, UsageDay};

/// One answer of a model.
#[derive(Debug, Clone)]
pub struct NewUsage {
    pub agent_id: Option<AgentId>,
    pub client_id: Option<ClientId>,
    pub call_id: Option<CallId>,
    /// The service's id of the answer or the conversation.
    pub session_id: Option<String>,
    pub user_id: Option<UserId>,
    /// What it was asked for: `analysis`.
    pub purpose: &'static str,
    /// `vendor/name`.
    pub model: String,
    pub usage: ChatUsage,
}

/// Records one answer, inside the transaction that records what it was good for. A call's own row is changed before: whoever folds
/// news into a call has it first and the client's month second, too.
pub async fn record(tx: &mut WriteTx, new: NewUsage) -> Result<(), AppError> {
    let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
    let cost = new.usage.cost.unwrap_or_default();
    let at = sqlx::query_scalar!(
        "insert into token_usage (workspace_id, id, agent_id, client_id, call_id, session_id, user_id, purpose, model, prompt_tokens,
                                  completion_tokens, total_tokens, is_estimated, cost)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning created_at",
        tx.w(),
        Uuid::now_v7(),
        new.agent_id.map(|id| id.0),
        new.client_id.map(|id| id.0),
        new.call_id.map(|id| id.0),
        new.session_id,
        new.user_id.map(|id| id.0),
        new.purpose,
        new.model,
        count(new.usage.prompt_tokens),
        count(new.usage.completion_tokens),
        count(new.usage.total_tokens),
        new.usage.is_estimated,
        cost,
    )
    .fetch_one(tx.conn())
    .await?;
    // As the column rounds, so that the kept sum is the counted one to the last place.
    budget::add(tx, new.client_id, at, cost.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero)).await
}

/// Puts calls, talk and its money into the days. Returns how many calls are not priced yet.
pub async fn talk(
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
        tx.w(),
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
        tx.w(),
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
pub async fn tokens(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    zone: &str,
    days: &mut [UsageDay],
) -> Result<(), AppError> {
    let rows = sqlx::query!(
        r#"select (created_at at time zone $4)::date as "day!: NaiveDate", sum(total_tokens)::bigint as "tokens!", sum(cost) as "cost!"
           from token_usage where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3 group by 1"#,
        tx.w(),
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
pub async fn month(
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
        tx.w(),
        client.0,
        from,
        until
    )
    .fetch_one(tx.conn())
    .await?;
    let models = sqlx::query!(
        r#"select coalesce(sum(total_tokens), 0)::bigint as "tokens!", coalesce(sum(cost), 0) as "cost!"
           from token_usage where workspace_id = $1 and client_id = $2 and created_at >= $3 and created_at < $4"#,
        tx.w(),
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
pub async fn models(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
) -> Result<Vec<ModelUsage>, AppError> {
    let rows = sqlx::query!(
        r#"select model, purpose, count(*) as "answers!", sum(prompt_tokens)::bigint as "prompt_tokens!",
                  sum(completion_tokens)::bigint as "completion_tokens!", bool_or(is_estimated) as "is_estimated!", sum(cost) as "cost!"
           from token_usage where workspace_id = $1 and ($2::uuid is null or client_id = $2) and created_at >= $3
           group by model, purpose order by sum(cost) desc, model, purpose limit 100"#,
        tx.w(),
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
