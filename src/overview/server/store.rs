//! Figures across crates, each from an index that leads with the workspace and the time.

use chrono::{DateTime, Utc};

use crate::model::{ClientFigures, Figures, Hour, LiveCall, Need, RunningBatch, SidebarCounts};
use patchbay_access::server::ReadTx;
use patchbay_dialling::model::{BatchStatus, Obstacle};
use patchbay_dialling::server::trouble::trouble;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money, money, zone};

/// Counts of the calls that started in `from..to`.
pub(crate) async fn figures(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    costs: bool,
) -> Result<Figures, AppError> {
    let row = sqlx::query!(
        r#"select count(*) as "calls!", count(*) filter (where joined_at is not null and ended_at is not null) as "answered!",
                  count(*) filter (where ended_at is not null) as "ended!", count(*) filter (where goal_reached) as "goals!",
                  percentile_cont(0.5) within group (order by duration) filter (where joined_at is not null) as median,
                  coalesce(sum(voice_cost + carrier_cost + model_cost), 0) as "spend!"
           from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2) and started_at >= $3 and started_at < $4"#,
        tx.workspace_uuid(),
        client.map(|client| client.0),
        from,
        to
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Figures {
        calls: row.calls,
        answered: row.answered,
        ended: row.ended,
        goals: row.goals,
        median_seconds: row.median.map(|median| median.round() as i64),
        spend: costs.then_some(Money(row.spend)),
    })
}

/// Calls by hour of the viewer's day, from the first hour with a call (at latest 08) to the last (at least 18).
pub(crate) async fn hours(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
    zone: &str,
) -> Result<Vec<Hour>, AppError> {
    let rows = sqlx::query!(
        r#"select extract(hour from started_at at time zone $4)::int as "hour!",
                  count(*) filter (where joined_at is not null) as "answered!",
                  count(*) filter (where joined_at is null and error is null) as "unanswered!",
                  count(*) filter (where joined_at is null and error is not null) as "failed!"
           from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
             and started_at >= $3 and started_at < $3 + interval '25 hours'
           group by 1"#,
        tx.workspace_uuid(),
        client.map(|client| client.0),
        from,
        zone
    )
    .fetch_all(tx.conn())
    .await?;
    let first = rows.iter().map(|row| row.hour).min().unwrap_or(8).min(8);
    let last = rows.iter().map(|row| row.hour).max().unwrap_or(18).max(18);
    Ok((first..=last)
        .map(|hour| {
            let row = rows.iter().find(|row| row.hour == hour);
            Hour {
                label: format!("{hour:02}"),
                answered: row.map_or(0, |row| row.answered),
                unanswered: row.map_or(0, |row| row.unanswered),
                failed: row.map_or(0, |row| row.failed),
            }
        })
        .collect())
}

/// Who is on the line: the newest eight, and how many in all.
pub(crate) async fn live(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    now: DateTime<Utc>,
) -> Result<(Vec<LiveCall>, i64), AppError> {
    let rows = sqlx::query!(
        r#"select c.id, c.contact_name, c."to", c."from", c.direction::text as "direction!", c.started_at, c.joined_at,
                  a.name as "agent?", k.name as "client?"
           from calls c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join clients k on k.workspace_id = $1 and k.id = c.client_id
           where c.workspace_id = $1 and c.ended_at is null and c.dial_state in ('intent', 'placed')
             and ($2::uuid is null or c.client_id = $2)
           order by c.joined_at desc nulls last, c.started_at desc limit 201"#,
        tx.workspace_uuid(),
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    let total = rows.len() as i64;
    let calls = rows
        .into_iter()
        .take(4)
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
        .collect();
    Ok((calls, total))
}

/// Batches that run, wait or were paused, and the ones that ended in the last day.
pub(crate) async fn batches(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<RunningBatch>, AppError> {
    let (zone, now, scope) = (tx.scope().zone(), Utc::now(), tx.scope().clone());
    let rows = sqlx::query!(
        r#"select b.id, b.name, (case when b.stopped_at is not null then 'stopped' else b.status::text end) as "status!: BatchStatus",
                  b.scheduled_for, b.pause_reason, b.error, b.total_contacts, b.obstacle as "obstacle: Obstacle",
                  b.started_at, b.completed_at, k.name as client,
                  (select count(*) from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id and x.status = 'completed'
                    and x.outcome = 'answered') as "answered!",
                  (select count(*) from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id and x.status = 'completed'
                    and x.outcome is distinct from 'answered') as "unanswered!",
                  (select count(*) from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id and x.status = 'failed') as "failed!"
           from call_batches b join clients k on k.workspace_id = $1 and k.id = b.client_id
           where b.workspace_id = $1 and ($2::uuid is null or b.client_id = $2)
             and (b.status in ('pending', 'scheduled', 'processing', 'paused') or b.completed_at > now() - interval '1 day')
           order by case b.status when 'processing' then 0 when 'paused' then 1 when 'pending' then 2 when 'scheduled' then 3 else 4 end, b.id desc
           limit 4"#,
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
                    let done = row.answered + row.unanswered + row.failed;
                    row.started_at.and_then(|start| time_left(now - start, done, i64::from(row.total_contacts)))
                }
                BatchStatus::Pending => None,
            };
            RunningBatch {
                id: row.id.to_string(),
                name: row.name,
                client: row.client,
                status: row.status,
                answered: row.answered,
                unanswered: row.unanswered,
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

/// What a person must look at, the worst first.
pub(crate) async fn needs(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<Need>, AppError> {
    let mut needs = Vec::new();
    let need = |icon: &str, tone: &str, title: String, note: String, action: &str, href: String| Need {
        icon: icon.into(),
        tone: tone.into(),
        title,
        note,
        action: action.into(),
        href,
    };
    let w = tx.workspace_uuid();
    let connections = sqlx::query!(
        "select provider, last_error from provider_connections where workspace_id = $1 and status = 'error'",
        w
    )
    .fetch_all(tx.conn())
    .await?;
    for row in connections {
        let title = format!("The connection to {} is failing", patchbay_providers::error::display_name(&row.provider));
        needs.push(need(
            "plug",
            "bad",
            title,
            row.last_error.unwrap_or_default(),
            "Reconnect",
            format!("/connections/{}", row.provider),
        ));
    }
    let batches = sqlx::query!(
        "select id, name, coalesce(error, pause_reason) as reason, status::text as status from call_batches
         where workspace_id = $1 and ($2::uuid is null or client_id = $2)
           and ((status = 'paused' and pause_reason is not null) or (status = 'failed' and completed_at > now() - interval '7 days'))
         order by id desc limit 100",
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    for row in batches {
        let verb = if row.status.as_deref() == Some("failed") { "failed" } else { "is paused" };
        let title = format!("Batch “{}” {verb}", row.name);
        needs.push(need(
            "triangle-alert",
            "bad",
            title,
            row.reason.unwrap_or_default(),
            "Open",
            format!("/batches/{}", row.id),
        ));
    }
    let escalated = sqlx::query!(
        r#"select c.id, coalesce(nullif(c.contact_name, ''), c."to", '') as "who!", a.result ->> 'escalation_reason' as reason
           from call_analyses a join calls c on c.workspace_id = $1 and c.id = a.call_id
           where a.workspace_id = $1 and a.result ->> 'escalation' = 'true' and a.created_at > now() - interval '7 days'
             and c.reviewed_at is null and ($2::uuid is null or c.client_id = $2)
           order by a.created_at desc limit 100"#,
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    for row in escalated {
        let title = format!("{} needs a person", row.who);
        let note = row.reason.unwrap_or_else(|| "The agent could not resolve it on the call.".into());
        needs.push(need("headphones", "warn", title, note, "Review", format!("/calls/{}", row.id)));
    }
    let agents = sqlx::query!(
        r#"select distinct a.id, a.name, m.sync_error as "error!" from agent_mappings m
           join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.sync_error is not null and a.is_active and ($2::uuid is null or m.client_id = $2) limit 100"#,
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    for row in agents {
        let title = format!("“{}” could not be updated at the voice provider", row.name);
        needs.push(need("bot", "warn", title, row.error, "Review", format!("/agents/{}", row.id)));
    }
    let failed = sqlx::query!(
        r#"select (select count(*) from (select 1 from webhook_queue where workspace_id = $1 and status = 'failed' limit 1000) q) as "webhooks!",
                  (select count(*) from (select 1 from enrichment_queue where workspace_id = $1 and status = 'failed' limit 1000) q) as "enrichments!""#,
        w
    )
    .fetch_one(tx.conn())
    .await?;
    if failed.webhooks > 0 {
        let title = format!("{} failed", money::counted(failed.webhooks, "incoming webhook", "incoming webhooks"));
        let note = "They are stored and can be replayed.".to_owned();
        needs.push(need("webhook", "warn", title, note, "Review", "/webhooks/inbound?status=failed".into()));
    }
    if failed.enrichments > 0 {
        let title = format!(
            "{} failed",
            money::counted(failed.enrichments, "transcript or analysis", "transcripts or analyses")
        );
        needs.push(need(
            "file-text",
            "warn",
            title,
            "Open each call to run it again.".into(),
            "Review",
            "/calls?view=failed".into(),
        ));
    }
    let imports = sqlx::query!(
        "select id, file_name, error from contact_imports where workspace_id = $1 and status = 'failed'
           and ($2::uuid is null or client_id = $2) and updated_at > now() - interval '7 days' order by id desc limit 100",
        w,
        client.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    for row in imports {
        let title = format!("The import of “{}” failed", row.file_name);
        needs.push(need(
            "file-spreadsheet",
            "warn",
            title,
            row.error.unwrap_or_default(),
            "Open",
            format!("/contacts/imports/{}", row.id),
        ));
    }
    Ok(needs)
}

/// Today's figures by client, busiest first.
pub(crate) async fn clients(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    from: DateTime<Utc>,
) -> Result<Vec<ClientFigures>, AppError> {
    let rows = sqlx::query!(
        r#"select k.id, k.name, count(c.id) as "calls!", count(c.id) filter (where c.joined_at is not null and c.ended_at is not null) as "answered!",
                  count(c.id) filter (where c.ended_at is not null) as "ended!", count(c.id) filter (where c.goal_reached) as "goals!",
                  coalesce(sum(c.voice_cost + c.carrier_cost + c.model_cost), 0) as "spend!"
           from clients k left join calls c on c.workspace_id = $1 and c.client_id = k.id and c.started_at >= $3
           where k.workspace_id = $1 and k.status = 'active' and ($2::uuid is null or k.id = $2)
           group by k.id, k.name order by 3 desc, k.name limit 50"#,
        tx.workspace_uuid(),
        client.map(|client| client.0),
        from
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ClientFigures {
            id: row.id.to_string(),
            name: row.name,
            calls: row.calls,
            answered: row.answered,
            ended: row.ended,
            goals: row.goals,
            spend: Money(row.spend),
        })
        .collect())
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

pub(crate) async fn sidebar_counts(tx: &mut ReadTx) -> Result<SidebarCounts, AppError> {
    Ok(sqlx::query_as!(
        SidebarCounts,
        r#"select (select count(*) from (select 1 from calls where workspace_id = $1 and ended_at is null
                     and dial_state in ('intent', 'placed') limit 1000) q) as "live_calls!",
                  (select count(*) from call_batches where workspace_id = $1 and status = 'processing') as "running_batches!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}
