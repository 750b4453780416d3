//! Figures across crates, each from an index that leads with the workspace and the time.

mod execution;
mod needs;

pub(crate) use execution::approvals;
pub(crate) use needs::needs;

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use sqlx::types::Uuid;

use crate::model::{Hour, LiveCall, RunningBatch, SidebarCounts};
use patchbay_access::server::ReadTx;
use patchbay_dialling::model::{BatchStatus, Obstacle};
use patchbay_dialling::server::trouble::trouble;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, zone};
use patchbay_usage::model::Shown;

/// What usage by day does not keep of today: its hours, and lengths.
pub(crate) struct Today {
    /// Of each client's day. From the first hour with a call (at latest 08) to the last (at least 18).
    pub hours: Vec<Hour>,
    /// Of the answered calls.
    pub median: Option<i64>,
    /// Of the days before, until the same time of day in each client's zone.
    pub median_before: Option<i64>,
}

/// Of the days that are shown, which end today. `zones`: of each client's days, and, under none, of what belongs to no client.
pub(crate) async fn today(
    tx: &mut ReadTx,
    shown: &Shown,
    zones: &[(Option<ClientId>, String)],
) -> Result<Today, AppError> {
    let now = tx.now().await?;
    let (mut clients, mut names, mut is_today) = (Vec::new(), Vec::new(), Vec::new());
    let (mut from, mut until) = (Vec::new(), Vec::new());
    for (client, name) in zones {
        let zone = zone::zone(name);
        let midnight = |day| zone::instant(day, NaiveTime::MIN, zone);
        let local = now.with_timezone(&zone).naive_local();
        let then = local.checked_sub_days(Days::new(shown.days)).unwrap_or(local);
        let before = (midnight(shown.before_first), zone::instant(then.date(), then.time(), zone), false);
        // Whoever told of a call may have a clock that is ahead.
        for (begin, end, today) in [before, (midnight(shown.first), now + TimeDelta::days(1), true)] {
            clients.push(client.map(|id| id.0));
            names.push(name.clone());
            from.push(begin);
            until.push(end);
            is_today.push(today);
        }
    }
    // Client by client, from the index; what is of today has an hour.
    let rows = sqlx::query!(
        r#"with c as materialized (
             select x.result, x.duration, case when s.is_today then date_part('hour', x.started_at at time zone s.zone)::int end as hour
             from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::boolean[])
                  s (client_id, zone, from_at, until_at, is_today)
             cross join lateral (
               select c.result, c.duration, c.started_at from calls c
               where c.workspace_id = $1 and c.client_id = s.client_id
                 and c.started_at >= s.from_at and c.started_at < s.until_at
               union all
               select c.result, c.duration, c.started_at from calls c
               where c.workspace_id = $1 and s.client_id is null and c.client_id is null
                 and c.started_at >= s.from_at and c.started_at < s.until_at) x)
           select c.hour as "hour?", count(c.result) as "ended!", count(*) filter (where c.result = 'answered') as "answered!",
                  count(*) filter (where c.result = 'failed') as "failed!", null::float8 as "median?", null::float8 as "median_before?"
           from c where c.hour is not null group by c.hour
           union all
           select null, 0, 0, 0,
                  percentile_cont(0.5) within group (order by c.duration) filter (where c.result = 'answered' and c.hour is not null),
                  percentile_cont(0.5) within group (order by c.duration) filter (where c.result = 'answered' and c.hour is null)
           from c"#,
        tx.workspace_uuid(),
        &clients as &[Option<Uuid>],
        &names,
        &from,
        &until,
        &is_today
    )
    .fetch_all(tx.conn())
    .await?;
    let mut found = Today { hours: Vec::new(), median: None, median_before: None };
    let mut hours = BTreeMap::new();
    let whole = |median: Option<f64>| median.map(|median| median.round() as i64);
    for row in rows {
        match row.hour {
            Some(hour) => drop(hours.insert(hour, (row.ended, row.answered, row.failed))),
            None => (found.median, found.median_before) = (whole(row.median), whole(row.median_before)),
        }
    }
    let first = hours.keys().next().map_or(8, |hour| (*hour).min(8));
    let last = hours.keys().next_back().map_or(18, |hour| (*hour).max(18));
    let hour = |hour: i32| {
        let (ended, answered, failed) = hours.get(&hour).copied().unwrap_or_default();
        Hour { label: format!("{hour:02}"), answered, not_reached: ended - answered - failed, failed }
    };
    found.hours = (first..=last).map(hour).collect();
    Ok(found)
}

/// How many calls go on, up to a thousand.
pub(crate) async fn live_total(tx: &mut ReadTx, client: Option<ClientId>) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from calls where workspace_id = $1 and result is null
             and ($2::uuid is null or client_id = $2) limit 1000) q"#,
        tx.workspace_uuid(),
        client.map(|client| client.0)
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Who is on the line: seven of them, those who talk first.
pub(crate) async fn live(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    now: DateTime<Utc>,
) -> Result<Vec<LiveCall>, AppError> {
    let rows = sqlx::query!(
        r#"select c.id, c.contact_name, c."to", c."from", c.direction::text as "direction!", c.started_at, c.joined_at,
                  a.name as "agent?", k.name as "client?"
           from calls c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join clients k on k.workspace_id = $1 and k.id = c.client_id
           where c.workspace_id = $1 and c.result is null
             and ($2::uuid is null or c.client_id = $2)
           order by c.joined_at desc nulls last, c.started_at desc limit 7"#,
        tx.workspace_uuid(),
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let number = if row.direction == "inbound" { row.from } else { row.to };
            let since = row.joined_at.unwrap_or(row.started_at);
            LiveCall {
                id: row.id.to_string(),
                contact: if row.contact_name.is_empty() {
                    number.unwrap_or_else(|| "Unknown".into())
                } else {
                    row.contact_name
                },
                agent: row.agent.unwrap_or_default(),
                client: row.client.unwrap_or_default(),
                seconds: (now - since).num_seconds().max(0),
                talking: row.joined_at.is_some(),
            }
        })
        .collect())
}

/// Batches that run, wait or were paused, and the ones that ended in the last day.
pub(crate) async fn batches(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<RunningBatch>, AppError> {
    let (zone, now, scope) = (tx.scope().zone(), Utc::now(), tx.scope().clone());
    let rows = sqlx::query!(
        r#"select b.id, b.campaign_id, b.name, (case when b.stopped_at is not null then 'stopped' else b.status::text end) as "status!: BatchStatus",
                  b.scheduled_for, b.pause_reason, b.error, b.total_contacts - b.left_contacts as "total_contacts!", b.obstacle as "obstacle: Obstacle",
                  b.started_at, b.completed_at, k.name as client,
                  p.reached as "reached!", p.not_reached as "not_reached!", p.failed as "failed!"
           from (
             select b.*, case b.status when 'processing' then 0 when 'paused' then 1 when 'pending' then 2 when 'scheduled' then 3 else 4 end as place
             from call_batches b
             where b.workspace_id = $1 and ($2::uuid is null or b.client_id = $2)
               and (b.status in ('pending', 'scheduled', 'processing', 'paused') or b.completed_at > now() - interval '1 day')
             order by place, b.id desc limit 4
           ) b
           join clients k on k.workspace_id = $1 and k.id = b.client_id
           cross join lateral (
             select count(*) filter (where x.result = 'reached') as reached, count(*) filter (where x.result = 'not_reached') as not_reached,
                    count(*) filter (where x.result = 'failed') as failed
             from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id) p
           order by b.place, b.id desc"#,
        tx.workspace_uuid(),
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let note = match row.status {
                BatchStatus::Scheduled => {
                    row.scheduled_for.map(|at| format!("Starts {}", zone::moment_text(at, now, zone)))
                }
                BatchStatus::Paused => {
                    trouble(&scope, row.pause_reason, row.obstacle).or_else(|| Some("Paused by a person".into()))
                }
                BatchStatus::Failed => trouble(&scope, row.error, row.obstacle),
                BatchStatus::Stopped => {
                    row.completed_at.map(|at| format!("Stopped {}", zone::moment_text(at, now, zone)))
                }
                BatchStatus::Completed => {
                    row.completed_at.map(|at| format!("Ended {}", zone::moment_text(at, now, zone)))
                }
                BatchStatus::Processing => {
                    let done = row.reached + row.not_reached + row.failed;
                    row.started_at.and_then(|start| time_left(now - start, done, i64::from(row.total_contacts)))
                }
                BatchStatus::Pending => None,
            };
            RunningBatch {
                id: row.id.to_string(),
                name: row.name,
                client: row.client,
                status: row.status,
                campaign: row.campaign_id.to_string(),
                reached: row.reached,
                not_reached: row.not_reached,
                failed: row.failed,
                total: i64::from(row.total_contacts),
                note: note.unwrap_or_default(),
            }
        })
        .collect())
}

/// In words, from the pace until now; none before there is one.
fn time_left(gone: chrono::TimeDelta, done: i64, total: i64) -> Option<String> {
    if done < 3 || gone.num_seconds() < 30 {
        return None;
    }
    let minutes = (total - done).max(0) * gone.num_seconds() / done / 60;
    Some(match minutes {
        0 => "Almost done".to_owned(),
        1..120 => format!("About {minutes} min left"),
        _ => format!("About {} h left", minutes / 60),
    })
}

/// The active clients, by name.
pub(crate) async fn clients(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(ClientId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ClientId", name from clients
           where workspace_id = $1 and status = 'active' and ($2::uuid is null or id = $2) order by name, id limit 2000"#,
        tx.workspace_uuid(),
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Which first steps are done.
pub(crate) struct Started {
    pub clients: bool,
    pub connections: bool,
    pub agents: bool,
    pub numbers: bool,
    pub contacts: bool,
    pub campaigns: bool,
    pub calls: bool,
}

pub(crate) async fn started(tx: &mut ReadTx) -> Result<Started, AppError> {
    Ok(sqlx::query_as!(
        Started,
        r#"select exists (select 1 from clients where workspace_id = $1) as "clients!",
                  exists (select 1 from provider_connections where workspace_id = $1 and provider = 'ultravox') as "connections!",
                  exists (select 1 from agents where workspace_id = $1 and status = 'active') as "agents!",
                  exists (select 1 from agency_phone_numbers where workspace_id = $1 and status = 'active') as "numbers!",
                  exists (select 1 from contacts where workspace_id = $1) as "contacts!",
                  exists (select 1 from campaigns where workspace_id = $1) as "campaigns!",
                  exists (select 1 from calls where workspace_id = $1) as "calls!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// `approvals`: those that wait are counted, too.
pub(crate) async fn sidebar_counts(tx: &mut ReadTx, approvals: bool) -> Result<SidebarCounts, AppError> {
    Ok(sqlx::query_as!(
        SidebarCounts,
        r#"select (select count(*) from (select 1 from calls where workspace_id = $1 and result is null limit 1000) q) as "live_calls!",
                  (select count(*) from call_batches where workspace_id = $1 and status = 'processing') as "running_batches!",
                  (select count(*) from (select 1 from execution_approvals where workspace_id = $1 and $2 and decision is null
                                           and expires_at > now() limit 1000) q) as "approvals!",
                  exists (select from execution_approvals where workspace_id = $1 and $2) as "has_approvals!""#,
        tx.workspace_uuid(),
        approvals
    )
    .fetch_one(tx.conn())
    .await?)
}
