//! What a client's month has come to, beside its budget. Owns the rows of client_spend: one per client with a budget and month, added
//! up from calls, answers and text messages when it is first asked for, and from then on kept in the transactions that write costs.
//!
//! The surprising part: a lock per client, shared by those who write costs and taken alone by whoever adds a month up. So a cost is
//! either in the sum or added to it, and never both or neither.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::jobs::EvaluateBudget;
use crate::model::{BudgetAction, BudgetStatus, LEVELS};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_services::HookFuture;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money};
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit};

/// What waits for a client's budget looks again, in the transaction in which the budget moved. Batches give it to boot.
pub struct BudgetMoved(pub for<'a> fn(&'a mut WriteTx, ClientId) -> HookFuture<'a>);

/// This month of a client with a budget.
struct Month {
    name: String,
    budget: Decimal,
    action: BudgetAction,
    first: chrono::NaiveDate,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// `1 December`.
    ends: String,
    /// None: it has not been added up yet, or in another zone.
    spent: Option<Decimal>,
    is_told_80: bool,
    is_told_100: bool,
}

impl Month {
    fn status(&self, id: ClientId) -> Option<BudgetStatus> {
        Some(BudgetStatus {
            id,
            name: self.name.clone(),
            budget: Money(self.budget),
            spent: Money(self.spent?),
            action: self.action,
            ends: self.ends.clone(),
        })
    }

    /// Below a level that the audit log knows of: a bill was refunded or corrected.
    fn has_fallen(&self, id: ClientId) -> bool {
        let Some(status) = self.status(id) else { return false };
        LEVELS.into_iter().any(|level| self.is_told(level) && !status.has_reached(level))
    }

    fn is_told(&self, level: i64) -> bool {
        if level == LEVELS[0] { self.is_told_80 } else { self.is_told_100 }
    }

    /// Levels that were reached and that the audit log does not know of. A budget of nothing has only its end.
    fn untold(&self, id: ClientId) -> Vec<i64> {
        let Some(status) = self.status(id) else { return Vec::new() };
        let levels = LEVELS.into_iter().filter(|level| *level == 100 || !self.budget.is_zero());
        levels.filter(|level| status.has_reached(*level) && !self.is_told(*level)).collect()
    }
}

/// None: the client has no budget.
async fn month(tx: &mut ReadTx, client: ClientId) -> Result<Option<Month>, AppError> {
    Ok(sqlx::query_as!(
        Month,
        r#"select k.name, k.monthly_budget as "budget!", k.budget_action as "action: BudgetAction", m.first as "first!",
                  m.first::timestamp at time zone k.timezone as "from!", m.next at time zone k.timezone as "until!",
                  to_char(m.next, 'FMDD FMMonth') as "ends!", s.spent as "spent?",
                  coalesce(s.told_80_at is not null, false) as "is_told_80!", coalesce(s.told_100_at is not null, false) as "is_told_100!"
           from clients k
           cross join lateral (
             select date_trunc('month', now() at time zone k.timezone)::date as first,
                    date_trunc('month', now() at time zone k.timezone) + interval '1 month' as next) m
           left join client_spend s on s.workspace_id = $1 and s.client_id = k.id and s.month = m.first
                and s.from_at = m.first::timestamp at time zone k.timezone
           where k.workspace_id = $1 and k.id = $2 and k.monthly_budget is not null"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What dialling asks before it claims contacts.
pub enum Headroom {
    /// No budget that holds, or it is not spent.
    Free,
    Spent,
    /// The month has not been added up: `add_up`, then ask again.
    Unknown,
}

/// Whether something new may be dialled for the client. One row by its key, whatever the number of calls.
pub async fn headroom(tx: &mut ReadTx, client: ClientId) -> Result<Headroom, AppError> {
    let Some(month) = month(tx, client).await?.filter(|month| month.action == BudgetAction::Hold) else {
        return Ok(Headroom::Free);
    };
    Ok(match month.status(client) {
        None => Headroom::Unknown,
        Some(status) if status.holds() => Headroom::Spent,
        Some(_) => Headroom::Free,
    })
}

/// Where the client's month stands, if it has a budget and the month has been added up.
pub async fn status(tx: &mut ReadTx, client: ClientId) -> Result<Option<BudgetStatus>, AppError> {
    Ok(month(tx, client).await?.and_then(|month| month.status(client)))
}

/// Active clients of which at least the first level is spent, the furthest first; of one, when it is named.
pub async fn reached(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<BudgetStatus>, AppError> {
    let rows = sqlx::query!(
        r#"select k.id as "id: ClientId", k.name, k.monthly_budget as "budget!", k.budget_action as "action: BudgetAction", s.spent,
                  to_char(s.until_at at time zone k.timezone, 'FMDD FMMonth') as "ends!"
           from client_spend s join clients k on k.workspace_id = $1 and k.id = s.client_id
           where s.workspace_id = $1 and s.from_at <= now() and s.until_at > now() and ($2::uuid is null or k.id = $2)
             and k.status = 'active' and s.spent * 100 >= k.monthly_budget * $3::bigint
           order by s.spent / nullif(k.monthly_budget, 0) desc nulls first, k.name limit 100"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        LEVELS[0]
    )
    .fetch_all(tx.conn())
    .await?;
    let reached = rows.into_iter().map(|row| BudgetStatus {
        id: row.id,
        name: row.name,
        budget: Money(row.budget),
        spent: Money(row.spent),
        action: row.action,
        ends: row.ends,
    });
    Ok(reached.collect())
}

/// Adds what a call, an answer or a text message cost, in the transaction that writes it there; less than nothing when a bill went down. `at`: the
/// moment that usage counts it under.
pub async fn add(
    tx: &mut WriteTx,
    client: Option<ClientId>,
    at: DateTime<Utc>,
    amount: Decimal,
) -> Result<(), AppError> {
    let Some(client) = client else { return Ok(()) };
    add_all(tx, &[(client, at, amount)]).await
}

/// The same for many costs, client by client in the order of their ids.
pub async fn add_all(tx: &mut WriteTx, costs: &[(ClientId, DateTime<Utc>, Decimal)]) -> Result<(), AppError> {
    let mut by_client: BTreeMap<uuid::Uuid, (Vec<DateTime<Utc>>, Vec<Decimal>)> = BTreeMap::new();
    for (client, at, amount) in costs.iter().filter(|(_, _, amount)| !amount.is_zero()) {
        let (times, amounts) = by_client.entry(client.0).or_default();
        times.push(*at);
        amounts.push(*amount);
    }
    let mut moved = Vec::new();
    for (client, (times, amounts)) in by_client {
        if add_to(tx, ClientId(client), &times, &amounts).await? {
            moved.push(EvaluateBudget { client: ClientId(client) });
        }
    }
    // All months, then the queue, as everywhere.
    patchbay_jobs::enqueue_all(tx, moved.iter().map(|job| (job, NewJob::default()))).await
}

/// True: the budget is to be looked at.
async fn add_to(
    tx: &mut WriteTx,
    client: ClientId,
    times: &[DateTime<Utc>],
    amounts: &[Decimal],
) -> Result<bool, AppError> {
    sqlx::query!("select pg_advisory_xact_lock_shared(hashtextextended($1, 15))", client.to_string())
        .execute(tx.conn())
        .await?;
    let Some(mut now) = month(tx.reading(), client).await? else { return Ok(false) };
    let kept = sqlx::query!(
        "with more as (
           select s.month, sum(m.amount) as amount
           from client_spend s join unnest($3::timestamptz[], $4::numeric[]) as m (at, amount) on s.from_at <= m.at and s.until_at > m.at
           where s.workspace_id = $1 and s.client_id = $2 group by s.month)
         update client_spend s set spent = s.spent + more.amount, updated_at = now() from more
         where s.workspace_id = $1 and s.client_id = $2 and s.month = more.month returning s.month, s.spent",
        tx.workspace_uuid(),
        client.0,
        times,
        amounts
    )
    .fetch_all(tx.conn())
    .await?;
    // As it is after the row was locked: two additions that only together reach a level must not both stay below it.
    if let Some(row) = kept.into_iter().find(|row| row.month == now.first) {
        now.spent = now.spent.map(|_| row.spent);
    }
    Ok(now.spent.is_none() || !now.untold(client).is_empty() || now.has_fallen(client))
}

/// Has the client's budget looked at, after the commit.
pub(crate) async fn evaluate(tx: &mut WriteTx, client: ClientId) -> Result<(), AppError> {
    enqueue(tx, &EvaluateBudget { client }, NewJob::default()).await
}

/// Somebody changed the budget or the zone. A higher one is told of anew when it is reached; without one nothing was kept.
pub async fn changed(
    tx: &mut WriteTx,
    client: ClientId,
    was: Option<Decimal>,
    now: Option<Decimal>,
) -> Result<(), AppError> {
    match (was, now) {
        (None, Some(_)) | (_, None) => {
            sqlx::query!(
                "delete from client_spend where workspace_id = $1 and client_id = $2",
                tx.workspace_uuid(),
                client.0
            )
            .execute(tx.conn())
            .await?;
        }
        (Some(_), Some(budget)) => {
            take_back_told(tx, client, budget).await?;
        }
    }
    evaluate(tx, client).await
}

/// What is not reached any more is told of anew when it is.
async fn take_back_told(tx: &mut WriteTx, client: ClientId, budget: Decimal) -> Result<(), AppError> {
    sqlx::query!(
        "update client_spend set told_80_at = case when spent * 100 >= $3::numeric * 80 then told_80_at end,
                told_100_at = case when spent >= $3 then told_100_at end, updated_at = now()
         where workspace_id = $1 and client_id = $2",
        tx.workspace_uuid(),
        client.0,
        budget
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The job: adds the month up if need be, and tells the audit log.
pub(crate) async fn run(scope: &Scope, client: ClientId) -> Result<Verdict, Failure> {
    add_up(scope, client).await?;
    Ok(Verdict::Done)
}

/// Adds the month up if that has not been done, then tells the audit log of levels that were reached, once each.
pub async fn add_up(scope: &Scope, client: ClientId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageClients).await?;
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 15))", client.to_string())
        .execute(tx.conn())
        .await?;
    let Some(mut now) = month(tx.reading(), client).await? else { return Ok(()) };
    if now.spent.is_none() {
        now.spent = Some(keep_sum(&mut tx, client, &now).await?);
    }
    let untold = now.untold(client);
    let has_fallen = now.has_fallen(client);
    if has_fallen {
        take_back_told(&mut tx, client, now.budget).await?;
    }
    // The month's row, then the queue, then the audit log, as everywhere.
    for level in &untold {
        note_told(&mut tx, client, &now, *level).await?;
    }
    if !untold.is_empty() || has_fallen {
        let moved = tx.services().hooks.get::<BudgetMoved>()?.0;
        moved(&mut tx, client).await?;
    }
    for level in untold {
        note_level(&mut tx, client, &now, level).await?;
        tell(&mut tx, client, &now, level).await?;
    }
    tx.commit().await
}

/// Calls by their start, answers of models by their time and text messages by when a carrier took them, as the usage page counts them.
async fn keep_sum(tx: &mut WriteTx, client: ClientId, month: &Month) -> Result<Decimal, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into client_spend (workspace_id, client_id, month, from_at, until_at, spent)
         select $1::uuid, $2::uuid, $3::date, $4::timestamptz, $5::timestamptz,
                (select coalesce(sum(voice_cost + carrier_cost), 0) from calls
                 where workspace_id = $1 and client_id = $2 and started_at >= $4 and started_at < $5)
              + (select coalesce(sum(cost), 0) from token_usage
                 where workspace_id = $1 and client_id = $2 and created_at >= $4 and created_at < $5)
              + (select coalesce(sum(cost_usd), 0) from text_messages
                 where workspace_id = $1 and client_id = $2 and taken_at >= $4 and taken_at < $5)
         on conflict (workspace_id, client_id, month) do update
           set from_at = excluded.from_at, until_at = excluded.until_at, spent = excluded.spent, updated_at = now()
         returning spent",
        tx.workspace_uuid(),
        client.0,
        month.first,
        month.from,
        month.until
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Tells other systems that a level was reached. Amounts are for the agency, and these systems may be the client's.
async fn tell(tx: &mut WriteTx, client: ClientId, month: &Month, level: i64) -> Result<(), AppError> {
    let data = serde_json::json!({
        "client_id": client, "client": month.name, "month": month.first, "percent": level,
        "holds_calls": level == 100 && month.action == BudgetAction::Hold,
        "url": format!("{}/clients/{client}", tx.services().public_url),
    });
    let (kind, subject) = (EventType::BudgetNear, Subject::Client);
    emit(tx, vec![NewEvent { kind, client_id: Some(client), subject, subject_id: client.0, data }]).await
}

async fn note_told(tx: &mut WriteTx, client: ClientId, month: &Month, level: i64) -> Result<(), AppError> {
    sqlx::query!(
        "update client_spend set told_80_at = case when $4 = 80 then now() else told_80_at end,
                told_100_at = case when $4 = 100 then now() else told_100_at end, updated_at = now()
         where workspace_id = $1 and client_id = $2 and month = $3",
        tx.workspace_uuid(),
        client.0,
        month.first,
        level as i32
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn note_level(tx: &mut WriteTx, client: ClientId, month: &Month, level: i64) -> Result<(), AppError> {
    tx.audit(Change {
        action: if level == 100 { "spent" } else { "spent 80% of" },
        entity: "budget",
        entity_id: Some(client.0),
        // Amounts are for the agency; what its clients may see of them is another matter.
        client_id: None,
        fields: Fields::Happened(serde_json::json!({
            "client": month.name, "month": month.first, "monthly_budget": month.budget, "spent": month.spent, "then": month.action,
        })),
    })
    .await?;
    for list in ["clients", "dashboard"] {
        tx.notify(Topic::list(list), None);
    }
    Ok(())
}
