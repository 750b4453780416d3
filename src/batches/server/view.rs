//! The page of a batch, from one read transaction.

use chrono::{DateTime, Duration, Utc};

use super::{hours, store};
use crate::model::{BatchStatus, BatchView, Hours, Left, Line, ResultRow, calls_left};
use patchbay_access::server::ReadTx;
use patchbay_access::withheld::CALL_TROUBLE;
use patchbay_access::{Action, Field};
use patchbay_calls::model::CallResult;
use patchbay_campaigns::{CallingWindow, Campaign, ContactOutcome, ContactStatus};
use patchbay_dialling::server::contacts;
use patchbay_dialling::server::trouble::trouble;
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
    let costs = tx.scope().sees(Field::Cost);
    let may_run = tx.scope().may(Action::RunBatches);
    let progress = store::progress(tx, &batch).await?;
    let left = progress.waiting + progress.calling;
    let facts = facts(tx, id).await?;
    let pace = pace(tx, id, &batch, now).await?;
    let lines = lines(tx, id, now).await?;
    let results = results(tx, &batch, &campaign, None, RESULTS).await?.rows;
    let is_under_way = matches!(batch.status, BatchStatus::Pending | BatchStatus::Processing) && left > 0;
    let held = match is_under_way {
        true => budget::status(tx, batch.client_id).await?.filter(BudgetStatus::holds),
        false => None,
    };
    let stamp = |at: Option<DateTime<Utc>>| at.map(|at| zone::stamp(at, now, local));
    let pace_text = |minute: &DateTime<Utc>| minute.with_timezone(&local).format("%H:%M").to_string();
    let recent: f64 = pace.iter().rev().take(10).map(|(_, count)| count).sum();
    let minutes = pace.len().clamp(1, 10) as f64;
    let ends = match batch.status == BatchStatus::Processing && held.is_none() && recent > 0.0 && left > 0 {
        true => Some(ends_about(tx, id, &campaign, recent / minutes, now).await?),
        false => None,
    };
    let hours = match batch.status.is_over() || progress.waiting == 0 {
        true => Hours::default(),
        false => {
            let zones = contacts::zones_of_batch(tx, id, &campaign.client_timezone).await?;
            hours::closed(&zones, &campaign.calling_window, now, tx.services().clock.ahead())
        }
    };
    Ok(BatchView {
        id,
        name: batch.name.clone(),
        status: batch.status,
        mode: batch.mode,
        for_call_backs: batch.for_call_backs,
        left: i64::from(batch.left_contacts),
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
        stopped: stamp(batch.stopped_at).map(|at| (at, facts.stopped_by)),
        pause_reason: trouble(tx.scope(), batch.pause_reason, batch.obstacle),
        error: trouble(tx.scope(), batch.error, batch.obstacle),
        progress,
        answered: facts.answered,
        goals: facts.goals,
        unpriced: if costs { facts.unpriced } else { 0 },
        spend: costs.then_some(Money(facts.spend)),
        ends_about: ends.map(|at| zone::moment_text(at, now, local)),
        lines,
        pace: pace.iter().map(|(minute, count)| (pace_text(minute), *count)).collect(),
        results,
        hours,
        may_raise: held.is_some() && tx.scope().may(Action::ManageClients),
        waits: held.map(|budget_status| budget_status.reason(costs)),
        may_run,
    })
}

struct Facts {
    created_by: Option<String>,
    paused_by: Option<String>,
    stopped_by: Option<String>,
    answered: i64,
    goals: i64,
    unpriced: i64,
    spend: rust_decimal::Decimal,
}

async fn facts(tx: &mut ReadTx, id: BatchId) -> Result<Facts, AppError> {
    Ok(sqlx::query_as!(
        Facts,
        r#"select (select u.name from users u where u.id = b.created_by) as created_by,
                  (select u.name from users u where u.id = b.paused_by) as paused_by,
                  (select u.name from users u where u.id = b.stopped_by) as stopped_by,
                  t.answered as "answered!", t.goals as "goals!", t.unpriced as "unpriced!", t.spend as "spend!"
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

/// When the last call will have ended, about: calls that reach nobody are repeated as often as until now, and none is made outside
/// the hours. `pace`: calls that end in a minute.
async fn ends_about(
    tx: &mut ReadTx,
    id: BatchId,
    campaign: &Campaign,
    pace: f64,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, AppError> {
    let not_done = contacts::not_done(tx, id).await?;
    let groups: Vec<Left> = not_done
        .iter()
        .map(|group| Left {
            contacts: group.contacts,
            calls: campaign.max_attempts - group.attempts + i32::from(group.is_calling),
        })
        .collect();
    let (calls, waits) = calls_left(&groups, share_to_repeat(tx, id).await?);
    let work = Duration::seconds((calls / pace * 60.0) as i64);
    let ahead = tx.services().clock.ahead();
    let by_pace = within(campaign, now + ahead, |window, local| window.after(local, work)) - ahead;
    // Whoever is due last is called then at the earliest, and waits between further calls.
    let last_due = not_done.iter().filter_map(|group| group.due).max().unwrap_or(now).max(now);
    let last = last_due + Duration::minutes(i64::from(waits) * i64::from(campaign.retry_minutes));
    let by_waits = within(campaign, last + ahead, CallingWindow::next_open) - ahead;
    Ok(by_pace.max(by_waits))
}

/// Something worked out by the calling hours in the client's zone.
fn within(
    campaign: &Campaign,
    at: DateTime<Utc>,
    work_out: impl FnOnce(&CallingWindow, chrono::NaiveDateTime) -> chrono::NaiveDateTime,
) -> DateTime<Utc> {
    let client_zone = zone::zone(&campaign.client_timezone);
    let local = work_out(&campaign.calling_window, at.with_timezone(&client_zone).naive_local());
    zone::instant(local.date(), local.time(), client_zone)
}

/// Of the batch's last 500 ended calls, the share after which the contact is called again while tries are left.
async fn share_to_repeat(tx: &mut ReadTx, id: BatchId) -> Result<f64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(avg((outcome in ('no_answer', 'busy'))::int), 0)::float8 as "share!"
           from (select outcome from calls where workspace_id = $1 and batch_id = $2 and ended_at is not null and outcome is not null
                 order by started_at desc limit 500) q"#,
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
    batch: &store::Batch,
    campaign: &Campaign,
    cursor: Option<&str>,
    most: usize,
) -> Result<Page<ResultRow>, AppError> {
    let (local, now, sees_error) = (tx.scope().zone(), tx.now().await?, tx.scope().sees(Field::CallError));
    let ahead = tx.services().clock.ahead();
    let cursor = Cursor::parse(cursor);
    let (started, after) = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)).unzip();
    let rows = sqlx::query!(
        r#"select c.id as "id: CallId", c.started_at, c.ended_at, c.contact_name, c."to" as "to!", c.result as "result: CallResult", c.outcome as "outcome: ContactOutcome",
                  c.goal_reached, c.error, c.attempt_no, c.duration, x.status as "status?: ContactStatus", x.next_attempt_at,
                  x.callback_at, x.last_call_id = c.id as "is_last?", p.timezone as "zone?"
           from calls c left join campaign_contacts x on x.workspace_id = $1 and x.id = c.campaign_contact_id
           left join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where c.workspace_id = $1 and c.batch_id = $2 and c.ended_at is not null
             and ($3::timestamptz is null or (c.started_at, c.id) < ($3, $4::uuid))
           order by c.started_at desc, c.id desc limit $5"#,
        tx.workspace_uuid(),
        batch.id.0,
        started,
        after,
        most as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let page = Page::cut(rows, most, cursor.as_ref(), |row| time_key(row.started_at, row.id.0));
    Ok(page.map(|row| {
        let moment = |at: DateTime<Utc>| zone::moment_text(at, now, local);
        // `at 08:28`, `Mon 30 Nov, 09:00`.
        let when = |at: DateTime<Utc>| match moment(at) {
            time if time.len() == 5 => format!("at {time}"),
            day => day,
        };
        let next = match (row.is_last.unwrap_or(false), row.status, row.callback_at, row.next_attempt_at) {
            (true, _, Some(at), _) => format!("Callback {}", moment(at)),
            (true, Some(ContactStatus::Scheduled), _, Some(at)) => {
                // Due while the hours are closed, the contact waits until they open.
                let zone_name = row.zone.as_deref().unwrap_or(&campaign.client_timezone);
                let at = at.max(now);
                let at = hours::closed_until(zone_name, &campaign.calling_window, at, ahead).unwrap_or(at);
                format!("Will be retried {}", when(at))
            }
            (true, Some(ContactStatus::Pending), ..) => "Back in the campaign".into(),
            (false, ..) => "Was retried".into(),
            _ => "–".into(),
        };
        ResultRow {
            call_id: row.id.to_string(),
            ended: row.ended_at.map(|at| zone::brief(at, now, local)),
            contact: if row.contact_name.is_empty() { row.to.clone() } else { row.contact_name },
            number: row.to,
            result: row.result,
            outcome: row.outcome,
            goal_reached: row.goal_reached,
            error: row.error.map(|error| if sees_error { error } else { CALL_TROUBLE.to_owned() }),
            next,
            attempt: row.attempt_no,
            length: row.duration.map(|seconds| money::length_text(i64::from(seconds))),
        }
    }))
}
