//! The page of a batch, from one read transaction.

use chrono::{DateTime, Duration, Utc};

use super::store;
use crate::model::{BatchStatus, BatchView, Line, ResultRow};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_calls::model::CallResult;
use patchbay_campaigns::{ContactOutcome, ContactStatus};
use patchbay_metering::model::BudgetStatus;
use patchbay_metering::server::budget;
use patchbay_shared::ids::{BatchId, CallId};
use patchbay_shared::{AppError, Cursor, Money, Page, money, read_time_key, time_key, zone};

/// How many finished calls the page shows.
const RESULTS: usize = 12;

pub(crate) async fn view(tx: &mut ReadTx, id: BatchId) -> Result<BatchView, AppError> {
    let batch = store::get(tx, id).await?;
    let campaign = patchbay_campaigns::server::get(tx, batch.campaign_id).await?;
    let (local, now) = (tx.scope().zone(), tx.now().await?);
    let costs = tx.scope().viewer().is_some_and(|viewer| viewer.sees_cost());
    let may_run = tx.scope().may(Action::RunBatches);
    let progress = store::progress(tx, id, batch.total_contacts).await?;
    let left = progress.waiting + progress.calling;
    let facts = facts(tx, id).await?;
    let pace = pace(tx, id, &batch, now).await?;
    let lines = lines(tx, id, now).await?;
    let results = results(tx, id, None, RESULTS).await?.rows;
    let is_under_way = matches!(batch.status, BatchStatus::Pending | BatchStatus::Processing) && left > 0;
    let held = match is_under_way {
        true => budget::status(tx, batch.client_id).await?.filter(BudgetStatus::holds),
        false => None,
    };
    let stamp = |at: Option<DateTime<Utc>>| at.map(|at| zone::stamp(at, now, local));
    let pace_text = |minute: &DateTime<Utc>| minute.with_timezone(&local).format("%H:%M").to_string();
    let recent: f64 = pace.iter().rev().take(10).map(|(_, count)| count).sum();
    let minutes = pace.len().clamp(1, 10) as f64;
    let ends = (batch.status == BatchStatus::Processing && held.is_none() && recent > 0.0 && left > 0).then(|| {
        let seconds = left as f64 / (recent / minutes) * 60.0;
        (now + Duration::seconds(seconds as i64)).with_timezone(&local).format("%H:%M").to_string()
    });
    Ok(BatchView {
        id,
        name: batch.name.clone(),
        status: batch.status,
        mode: batch.mode,
        campaign_id: campaign.id,
        campaign: campaign.name.clone(),
        client_id: campaign.client_id,
        client: campaign.client_name.clone(),
        agent: campaign.agent_name.clone(),
        window: campaign.calling_window.text(),
        concurrency: batch.concurrency,
        created_by: facts.created_by,
        paused_by: facts.paused_by,
        started: stamp(batch.started_at),
        completed: stamp(batch.completed_at),
        scheduled_for: stamp(batch.scheduled_for),
        stopped: batch.stopped_at.is_some(),
        pause_reason: batch.pause_reason.clone(),
        error: batch.error.clone(),
        progress,
        answered: facts.answered,
        goals: facts.goals,
        unpriced: if costs { facts.unpriced } else { 0 },
        spend: costs.then_some(Money(facts.spend)),
        ends_about: ends,
        lines,
        pace: pace.iter().map(|(minute, count)| (pace_text(minute), *count)).collect(),
        results,
        outside_hours: facts.later,
        may_raise: held.is_some() && tx.scope().may(Action::ManageClients),
        waits: held.map(|budget_status| budget_status.reason(costs)),
        may_run,
    })
}

struct Facts {
    created_by: Option<String>,
    paused_by: Option<String>,
    answered: i64,
    goals: i64,
    unpriced: i64,
    spend: rust_decimal::Decimal,
    later: i64,
}

async fn facts(tx: &mut ReadTx, id: BatchId) -> Result<Facts, AppError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select (select u.name from users u where u.id = b.created_by) as created_by,
                  (select u.name from users u where u.id = b.paused_by) as paused_by,
                  t.answered as "answered!", t.goals as "goals!", t.unpriced as "unpriced!", t.spend as "spend!",
                  (select count(*) from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id and x.status = 'scheduled'
                    and x.attempts = 0 and x.next_attempt_at > now()) as "later!"
           from call_batches b cross join lateral (
             select count(*) filter (where c.result = 'answered') as answered, count(*) filter (where c.goal_reached) as goals,
                    count(*) filter (where c.is_unpriced) as unpriced, coalesce(sum(c.cost), 0) as spend
             from calls c where c.workspace_id = $1 and c.batch_id = b.id) t
           where b.workspace_id = $1 and b.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Calls that ended, minute by minute: the last thirty minutes of the batch, minutes without any included.
async fn pace(
    tx: &mut ReadTx,
    id: BatchId,
    batch: &store::Batch,
    now: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, f64)>, AppError> {
    let Some(started) = batch.started_at else { return Ok(Vec::new()) };
    let until = batch.completed_at.unwrap_or(now);
    let from = started.max(until - Duration::minutes(30));
    let rows = sqlx::query!(
        r#"select m.minute as "minute!", count(c.id) as "count!"
           from generate_series(date_trunc('minute', $3::timestamptz), date_trunc('minute', $4::timestamptz), interval '1 minute') as m (minute)
           left join calls c on c.workspace_id = $1 and c.batch_id = $2 and c.ended_at >= m.minute and c.ended_at < m.minute + interval '1 minute'
           group by m.minute order by m.minute"#,
        tx.workspace_uuid(),
        id.0,
        from,
        until
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.minute, row.count as f64)).collect())
}

async fn lines(tx: &mut ReadTx, id: BatchId, now: DateTime<Utc>) -> Result<Vec<Line>, AppError> {
    let rows = sqlx::query!(
        r#"select id, contact_name, "to" as "to!", started_at, joined_at from calls
           where workspace_id = $1 and batch_id = $2 and ended_at is null order by started_at, id limit 200"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let since = row.joined_at.unwrap_or(row.started_at);
            Line {
                call_id: row.id.to_string(),
                contact: if row.contact_name.is_empty() { row.to.clone() } else { row.contact_name },
                number: row.to,
                talking: row.joined_at.is_some(),
                seconds: (now - since).num_seconds().max(0),
            }
        })
        .collect())
}

/// The batch's ended calls, newest first.
pub(crate) async fn results(
    tx: &mut ReadTx,
    id: BatchId,
    cursor: Option<&str>,
    most: usize,
) -> Result<Page<ResultRow>, AppError> {
    let (local, now) = (tx.scope().zone(), tx.now().await?);
    let cursor = Cursor::parse(cursor);
    let (started, after) = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)).unzip();
    let rows = sqlx::query!(
        r#"select c.id as "id: CallId", c.started_at, c.ended_at, c.contact_name, c."to" as "to!", c.result as "result: CallResult", c.outcome as "outcome: ContactOutcome",
                  c.goal_reached, c.error, c.attempt_no, c.duration, x.status as "status?: ContactStatus", x.next_attempt_at,
                  x.callback_at, x.last_call_id = c.id as "is_last?"
           from calls c left join campaign_contacts x on x.workspace_id = $1 and x.id = c.campaign_contact_id
           where c.workspace_id = $1 and c.batch_id = $2 and c.ended_at is not null
             and ($3::timestamptz is null or (c.started_at, c.id) < ($3, $4::uuid))
           order by c.started_at desc, c.id desc limit $5"#,
        tx.workspace_uuid(),
        id.0,
        started,
        after,
        most as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let page = Page::cut(rows, most, cursor.as_ref(), |row| time_key(row.started_at, row.id.0));
    Ok(page.map(|row| {
        let moment = |at: DateTime<Utc>| zone::moment_text(at, now, local);
        let next = match (row.is_last.unwrap_or(false), row.status, row.callback_at, row.next_attempt_at) {
            (true, _, Some(at), _) => format!("Call back {}", moment(at)),
            (true, Some(ContactStatus::Scheduled), _, Some(at)) => format!("Tried again {}", moment(at)),
            (true, Some(ContactStatus::Pending), ..) => "Back in the campaign".into(),
            (false, ..) => "Tried again".into(),
            _ => "–".into(),
        };
        ResultRow {
            call_id: row.id.to_string(),
            ended: row.ended_at.map(|at| zone::stamp(at, now, local)),
            contact: if row.contact_name.is_empty() { row.to.clone() } else { row.contact_name },
            number: row.to,
            result: row.result,
            outcome: row.outcome,
            goal_reached: row.goal_reached,
            error: row.error,
            next,
            attempt: row.attempt_no,
            length: row.duration.map(|seconds| money::length_text(i64::from(seconds))),
        }
    }))
}
