//! Approvals: the list, one of them, and who may decide.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::plan_for_values;
use crate::model::Decision;
use crate::model::approval::{ApprovalPage, ApprovalQuery, ApprovalRow, ApprovalState, Decided, Opened};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, ApprovalId, ClientId, ExecutionJobId, SupervisorRunId, UserId};
use patchbay_shared::money::{counted, length_text};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::{Tz, stamp};
use patchbay_shared::{AppError, Cursor, Money, Page, read_time_key, time_key, zone};

/// What is read of an approval. A client's people see no job, so what comes with it is empty for them.
struct Kept {
    id: Uuid,
    title: String,
    rule: String,
    tool_name: Option<String>,
    content: String,
    edited_content: Option<String>,
    details: Value,
    for_client: bool,
    client_id: Option<Uuid>,
    client: Option<String>,
    requested_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    opened_by: Option<Uuid>,
    opened_name: Option<String>,
    opened_at: Option<DateTime<Utc>>,
    decision: Option<Decision>,
    decided_by: Option<Uuid>,
    decided_name: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    note: String,
    job_id: Option<Uuid>,
    job_title: Option<String>,
    run_id: Option<Uuid>,
    agent_id: Option<Uuid>,
    agent: Option<String>,
    team: Option<String>,
    cost: Option<rust_decimal::Decimal>,
}

impl Kept {
    fn row(self, eyes: &Eyes) -> ApprovalRow {
        let (now, zone) = (eyes.now, eyes.zone);
        // A client's people know the agency's by no name.
        let opened_name = self.opened_name.or(self.opened_by.map(|_| "The agency".to_owned()));
        let decided_name = self.decided_name.or(self.decided_by.map(|_| "the agency".to_owned()));
        let opened = opened_name.zip(self.opened_at).map(|(by, at)| Opened {
            initials: initials(&by),
            by,
            at: stamp(at, now, zone),
            is_own: self.opened_by == eyes.viewer.map(|id| id.0),
        });
        let decided = self.decision.zip(self.decided_at).map(|(decision, at)| Decided {
            decision,
            by: decided_name,
            at: stamp(at, now, zone),
            note: self.note,
        });
        // Who works, how and where is the agency's own; what a tool is given is what the client decides about. Worker and tool stand first.
        let details = match (eyes.is_agency, &self.tool_name) {
            (true, _) => pairs(self.details),
            (false, Some(_)) => pairs(self.details).into_iter().skip(2).collect(),
            (false, None) => Vec::new(),
        };
        let is_over = decided.is_some() || self.expires_at <= now;
        ApprovalRow {
            id: ApprovalId(self.id),
            title: self.title,
            rule: self.rule,
            asked_by: self.agent,
            team: self.team,
            client: self.client.filter(|_| eyes.is_agency),
            for_client: self.for_client,
            requested: stamp(self.requested_at, now, zone),
            ago: ago(now - self.requested_at),
            expires: stamp(self.expires_at, now, zone),
            left: (!is_over).then(|| length_text((self.expires_at - now).num_seconds())),
            opened,
            decided,
            details,
            cost: self.cost.map(Money),
        }
    }
}

/// Rows of name and value, as they are stored.
fn pairs(details: Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pair = |row: &Value| Some((text(row.get(0)?), text(row.get(1)?)));
    details.as_array().map(|rows| rows.iter().filter_map(pair).collect()).unwrap_or_default()
}

fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    first.into_iter().chain(words.next_back()).collect()
}

/// `9 minutes ago`.
fn ago(passed: TimeDelta) -> String {
    let (minutes, hours, days) = (passed.num_minutes(), passed.num_hours(), passed.num_days());
    match (minutes, hours) {
        (..1, _) => "just now".to_owned(),
        (1..120, _) => format!("{} ago", counted(minutes, "minute", "minutes")),
        (_, ..48) => format!("{} ago", counted(hours, "hour", "hours")),
        _ => format!("{} ago", counted(days, "day", "days")),
    }
}

/// Which approvals are read. `is_open` none: all, by when they were asked for.
#[derive(Default)]
struct Wanted {
    is_open: Option<bool>,
    id: Option<Uuid>,
    job: Option<Uuid>,
    run: Option<Uuid>,
    client: Option<Uuid>,
    decision: Option<String>,
    words: Option<String>,
    days: zone::Span,
    place: Option<(DateTime<Utc>, Uuid)>,
    upwards: bool,
    limit: i64,
}

async fn read(tx: &mut ReadTx, wanted: Wanted) -> Result<Vec<Kept>, AppError> {
    plan_for_values(tx).await?;
    Ok(sqlx::query_as!(
        Kept,
        r#"select x.id, x.title, x.rule, x.tool_name, x.content, x.edited_content, x.details,
                  x.for_client, x.client_id, k.name as "client?", x.requested_at, x.expires_at, x.opened_by, o.name as "opened_name?",
                  x.opened_at, x.decision as "decision: Decision", x.decided_by, d.name as "decided_name?", x.decided_at, x.note,
                  j.id as "job_id?", j.title as "job_title?", j.supervisor_run_id as "run_id?", j.agent_id as "agent_id?",
                  a.name as "agent?", m.name as "team?", j.cost as "cost?"
           from (
             select *, case when $2 then p.expires_at when not $2 then p.decided_at else p.requested_at end as place
             from execution_approvals p
             where p.workspace_id = $1 and ($2::bool is null or ((p.decision is null) = $2 and (not $2 or p.expires_at > now())))
               and ($3::uuid is null or p.id = $3) and ($4::uuid is null or p.job_id = $4)
               and ($14::uuid is null or p.supervisor_run_id = $14)
               and ($5::uuid is null or p.client_id = $5) and ($6::text is null or p.decision = $6)
               and ($7::text is null or p.title ilike $7 or p.rule ilike $7)
               and ($8::timestamptz is null or coalesce(p.decided_at, p.requested_at) >= $8)
               and ($9::timestamptz is null or coalesce(p.decided_at, p.requested_at) < $9)
               and ($10::timestamptz is null
                    or case when $12 then (case when $2 then p.expires_at when not $2 then p.decided_at else p.requested_at end, p.id) > ($10, $11::uuid)
                            else (case when $2 then p.expires_at when not $2 then p.decided_at else p.requested_at end, p.id) < ($10, $11::uuid) end)
             order by case when $12 then (case when $2 then p.expires_at when not $2 then p.decided_at else p.requested_at end) end,
                      case when $12 then p.id end,
                      case when not $12 then (case when $2 then p.expires_at when not $2 then p.decided_at else p.requested_at end) end desc,
                      case when not $12 then p.id end desc
             limit $13
           ) x
           left join users o on o.id = x.opened_by
           left join users d on d.id = x.decided_by
           left join clients k on k.workspace_id = $1 and k.id = x.client_id
           left join execution_jobs j on j.workspace_id = $1 and j.id = x.job_id
           left join agents a on a.workspace_id = $1 and a.id = j.agent_id
           left join supervisor_runs r on r.workspace_id = $1 and r.id = j.supervisor_run_id
           left join teams m on m.workspace_id = $1 and m.id = r.team_id
           order by case when $12 then x.place end, case when $12 then x.id end, case when not $12 then x.place end desc,
                    case when not $12 then x.id end desc"#,
        tx.workspace_uuid(),
        wanted.is_open,
        wanted.id,
        wanted.job,
        wanted.client,
        wanted.decision,
        wanted.words,
        wanted.days.from,
        wanted.days.before,
        wanted.place.map(|(at, _)| at),
        wanted.place.map(|(_, id)| id),
        wanted.upwards,
        wanted.limit,
        wanted.run,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Who looks, when and from where.
struct Eyes {
    viewer: Option<UserId>,
    is_agency: bool,
    now: DateTime<Utc>,
    zone: Tz,
}

impl Eyes {
    async fn of(tx: &mut ReadTx) -> Result<Self, AppError> {
        let (viewer, is_agency) = (tx.scope().user_id(), tx.scope().client_id().is_none());
        Ok(Self { viewer, is_agency, now: tx.now().await?, zone: tx.scope().zone() })
    }
}

fn uuid(text: Option<&str>) -> Option<Uuid> {
    filled(text).map(|text| text.parse().unwrap_or_default())
}

/// A page of approvals: those that are open by when they end, decided ones by when they were decided.
pub(crate) async fn list(tx: &mut ReadTx, query: &ApprovalQuery, limit: usize) -> Result<Page<ApprovalRow>, AppError> {
    let eyes = Eyes::of(tx).await?;
    let is_open = query.state() == ApprovalState::Open;
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let wanted = Wanted {
        is_open: Some(is_open),
        client: uuid(query.client.as_deref()),
        decision: filled(query.decision.as_deref()).filter(|_| !is_open),
        words: like(filled(query.q.as_deref()).as_deref()),
        days: zone::days(query.from.as_deref(), query.to.as_deref(), eyes.zone)?,
        place: cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)),
        upwards: cursor.as_ref().is_none_or(|cursor| cursor.older) == query.is_ascending(),
        limit: limit as i64 + 1,
        ..Wanted::default()
    };
    let rows: Vec<(ApprovalRow, String)> = read(tx, wanted)
        .await?
        .into_iter()
        .map(|row| {
            let at = if is_open { row.expires_at } else { row.decided_at.unwrap_or(row.expires_at) };
            let key = time_key(at, row.id);
            (row.row(&eyes), key)
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(row, _)| row))
}

/// All that were asked for in a job, in their order.
pub(crate) async fn of_one_job(tx: &mut ReadTx, job: ExecutionJobId) -> Result<Vec<ApprovalRow>, AppError> {
    let eyes = Eyes::of(tx).await?;
    let found = read(tx, Wanted { job: Some(job.0), upwards: true, limit: 100, ..Wanted::default() }).await?;
    Ok(found.into_iter().map(|row| row.row(&eyes)).collect())
}

/// All that were asked for in a team's run, in their order.
pub(crate) async fn of_run(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Vec<ApprovalRow>, AppError> {
    let eyes = Eyes::of(tx).await?;
    let found = read(tx, Wanted { run: Some(run.0), upwards: true, limit: 200, ..Wanted::default() }).await?;
    Ok(found.into_iter().map(|row| row.row(&eyes)).collect())
}

/// One approval. Errors: `NotFound`, also for a client's people when no rule gives it to them.
pub(crate) async fn one(tx: &mut ReadTx, id: ApprovalId) -> Result<ApprovalPage, AppError> {
    let eyes = Eyes::of(tx).await?;
    let found = read(tx, Wanted { id: Some(id.0), limit: 1, ..Wanted::default() }).await?;
    let row = found.into_iter().next().ok_or(AppError::NotFound)?;
    let may_decide = tx.scope().may(Action::DecideApprovals) && row.decision.is_none() && row.expires_at > eyes.now;
    Ok(ApprovalPage {
        tool: row.tool_name.clone(),
        content: row.content.clone(),
        edited: row.edited_content.clone(),
        job: row.job_id.map(ExecutionJobId).zip(row.job_title.clone()),
        run: row.run_id.map(SupervisorRunId),
        agent: row.agent_id.map(AgentId).zip(row.agent.clone()),
        client: row.client_id.map(ClientId).zip(row.client.clone()).filter(|_| eyes.is_agency),
        may_decide,
        row: row.row(&eyes),
    })
}

/// How many wait, up to a thousand.
pub(crate) async fn open(tx: &mut ReadTx, client: Option<Uuid>) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
             select from execution_approvals where workspace_id = $1 and decision is null and expires_at > now()
               and ($2::uuid is null or client_id = $2) limit 1000) q"#,
        tx.workspace_uuid(),
        client
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How many were decided since then, by people.
pub(crate) async fn decided_since(
    tx: &mut ReadTx,
    client: Option<Uuid>,
    since: DateTime<Utc>,
) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
             select from execution_approvals where workspace_id = $1 and decision is not null and decided_at >= $3
               and ($2::uuid is null or client_id = $2) limit 1000) q"#,
        tx.workspace_uuid(),
        client,
        since
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What a letter says of an approval.
pub(crate) struct Asked {
    pub title: String,
    pub rule: String,
    pub expires_at: DateTime<Utc>,
    pub client: Option<ClientId>,
    pub for_client: bool,
}

pub(crate) async fn asked(tx: &mut ReadTx, id: ApprovalId) -> Result<Asked, AppError> {
    Ok(sqlx::query_as!(
        Asked,
        r#"select title, rule, expires_at, client_id as "client: ClientId", for_client from execution_approvals
           where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Somebody who may decide.
pub(crate) struct Decider {
    pub email: String,
    /// Of the client's people.
    pub is_client: bool,
    pub timezone: String,
}

/// Whoever may decide: the agency's owners and admins, and with `client` that client's admins.
pub(crate) async fn deciders(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<Decider>, AppError> {
    Ok(sqlx::query_as!(
        Decider,
        r#"select u.email, u.role = 'client_admin' as "is_client!", coalesce(u.timezone, w.timezone) as "timezone!"
           from users u join workspaces w on w.id = $1
           where u.workspace_id = $1 and u.status = 'active'
             and (u.role in ('agency_owner', 'agency_admin') or (u.role = 'client_admin' and u.client_id = $2))
           order by u.id limit 100"#,
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?)
}
