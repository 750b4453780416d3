//! What needs a person in execution: approvals, jobs that were out of memory, breakers that are open.

use chrono::{Days, NaiveTime};

use super::needs::{NAMED, are_more};
use crate::model::{Need, NeedList};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::ClientId;
use patchbay_shared::zone::{instant, moment_text};
use patchbay_shared::{AppError, money};

/// Days before this one for which a job that was out of memory counts.
const OOM_DAYS: u64 = 6;

fn need(icon: &str, tone: &str, title: String, note: String, action: &str, href: String) -> Need {
    Need { icon: icon.into(), tone: tone.into(), title, note, action: action.into(), href }
}

fn list(text: &str, path: &str, client: Option<ClientId>) -> NeedList {
    let own = client.map(|client| format!("{}client={client}", if path.contains('?') { "&" } else { "?" }));
    NeedList { text: text.into(), href: format!("{path}{}", own.unwrap_or_default()) }
}

/// Approvals that wait, those that end soonest first. A client's admin sees the client's own.
pub(crate) async fn approvals(
    tx: &mut ReadTx,
    client: Option<ClientId>,
) -> Result<(Vec<Need>, Vec<NeedList>), AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let mut rows = sqlx::query!(
        "select id, title, rule, expires_at from execution_approvals
         where workspace_id = $1 and decision is null and expires_at > now() and ($2::uuid is null or client_id = $2)
         order by expires_at, id limit $3",
        tx.workspace_uuid(),
        client.map(|client| client.0),
        NAMED as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let mut lists = Vec::new();
    if are_more(&mut rows) {
        lists.push(list("All approvals", "/approvals", client));
    }
    let needs = rows.into_iter().map(|row| {
        let note = format!("{} · until {}", row.rule, moment_text(row.expires_at, now, zone));
        let title = format!("“{}” waits for approval", row.title);
        need("shield-check", "warn", title, note, "Decide", format!("/approvals/{}", row.id))
    });
    Ok((needs.collect(), lists))
}

/// All of it, for the agency's people.
pub(super) async fn needs(tx: &mut ReadTx, client: Option<ClientId>) -> Result<(Vec<Need>, Vec<NeedList>), AppError> {
    let (mut needs, mut lists) = approvals(tx, client).await?;
    let circuits = sqlx::query!(
        r#"select e.name as engine, t.id as target_id, t.name as target, c.failures, c.last_reason as reason
           from execution_circuits c
           join execution_engines e on e.workspace_id = $1 and e.id = c.engine_id
           join execution_targets t on t.workspace_id = $1 and t.id = c.target_id
           where c.workspace_id = $1 and c.opened_at is not null and t.is_active and e.is_active
           order by c.opened_at desc, c.id limit 20"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    for row in circuits {
        let title = format!("{} does not start on {}", row.engine, row.target);
        let note = row
            .reason
            .unwrap_or_else(|| format!("{} in a row failed.", money::counted(row.failures.into(), "start", "starts")));
        needs.push(need("zap", "bad", title, note, "Open", format!("/execution/targets/{}", row.target_id)));
    }
    // The days of the control room's figure.
    let zone = tx.scope().zone();
    let today = tx.now().await?.with_timezone(&zone).date_naive();
    let first = today.checked_sub_days(Days::new(OOM_DAYS)).unwrap_or(today);
    let mut oom = sqlx::query!(
        "select id, title, memory_limit_mb, peak_memory_mb from execution_jobs
         where workspace_id = $1 and status = 'oom' and created_at >= $4 and ($2::uuid is null or client_id = $2)
         order by created_at desc, id desc limit $3",
        tx.workspace_uuid(),
        client.map(|client| client.0),
        NAMED as i64 + 1,
        instant(first, NaiveTime::MIN, zone)
    )
    .fetch_all(tx.conn())
    .await?;
    if are_more(&mut oom) {
        lists.push(list("All jobs out of memory", &format!("/jobs?status=oom&from={first}"), client));
    }
    for row in oom {
        let peak = row.peak_memory_mb.map(|peak| format!(", {peak} MB were wanted")).unwrap_or_default();
        let note = format!("{} MB were allowed{peak}. It can be queued again with more.", row.memory_limit_mb);
        needs.push(need(
            "workflow",
            "bad",
            format!("“{}” ran out of memory", row.title),
            note,
            "Open",
            format!("/jobs/{}", row.id),
        ));
    }
    Ok((needs, lists))
}
