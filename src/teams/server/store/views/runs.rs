//! Statements about runs: their list, and the sessions of a team.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::views::{SessionRow, SupervisorRunQuery, SupervisorRunRow};
use crate::model::{Limit, RunSource, SupervisorRunStatus};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{SessionId, SupervisorRunId, TeamId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::{self, exact, stamp};
use patchbay_shared::{AppError, Cursor, Money, Page, Stamp, read_time_key, time_key};

/// Runs, newest first. An id or a word that is none matches nothing.
pub(crate) async fn list(
    tx: &mut ReadTx,
    query: &SupervisorRunQuery,
    limit: usize,
) -> Result<Page<SupervisorRunRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let id = |text: &Option<String>| filled(text.as_deref()).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let (team, client) = (id(&query.team), id(&query.client));
    let span = zone::days(query.from.as_deref(), query.to.as_deref(), zone)?;
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place: Option<(DateTime<Utc>, Uuid)> = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let oldest_first = query.sort.as_deref() == Some("started");
    let upwards = cursor.as_ref().is_some_and(|cursor| !cursor.older) != oldest_first;
    // A filter that is not set must cost nothing, so the statement is planned for the values it has.
    sqlx::raw_sql("set local plan_cache_mode = force_custom_plan").execute(tx.conn()).await?;
    let found = sqlx::query!(
        r#"select r.id as "id: SupervisorRunId", left(r.user_message, 200) as "message!", r.team_id as "team: TeamId", t.name as team_name,
                  r.status as "status: SupervisorRunStatus", r.source as "source: RunSource", a.name as "worker?", r.execution_engine,
                  r.asked_back, r.failure, r.steps, r.cost, r.is_unpriced, r.created_at, r.started_at, r.completed_at, r.waited_ms,
                  (select count(*) from execution_approvals p where p.workspace_id = $1 and p.supervisor_run_id = r.id
                     and p.decision is null) as "waiting!"
           from supervisor_runs r
           join teams t on t.workspace_id = $1 and t.id = r.team_id
           left join agents a on a.workspace_id = $1 and a.id = r.worker_agent_id
           where r.workspace_id = $1
             and ($2::uuid is null or r.team_id = $2) and ($3::uuid is null or t.client_id = $3)
             and ($4::timestamptz is null or r.created_at >= $4) and ($5::timestamptz is null or r.created_at < $5)
             and ($6::text is null or r.status::text = $6) and ($7::text is null or r.source = $7)
             and ($8::text is null or r.execution_engine = $8)
             and (not $9 or exists (select from execution_approvals p where p.workspace_id = $1 and p.supervisor_run_id = r.id
                                      and p.decision is null))
             and ($10::text is null or r.user_message ilike $10 or r.execution_output ilike $10 or r.failure ilike $10)
             and ($11::timestamptz is null or case when $13 then (r.created_at, r.id) > ($11, $12::uuid)
                                                   else (r.created_at, r.id) < ($11, $12::uuid) end)
           order by case when not $13 then r.created_at end desc, case when not $13 then r.id end desc,
                    case when $13 then r.created_at end, case when $13 then r.id end
           limit $14"#,
        tx.workspace_uuid(),
        team,
        client,
        span.from,
        span.before,
        filled(query.status.as_deref()),
        filled(query.source.as_deref()),
        filled(query.engine.as_deref()),
        query.waiting.as_deref() == Some("person"),
        like(query.words.as_deref()),
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        upwards,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows: Vec<(SupervisorRunRow, String)> = found
        .into_iter()
        .map(|row| {
            let key = time_key(row.created_at, row.id.0);
            let took = row.completed_at.map(|at| (at - row.started_at.unwrap_or(at)).num_milliseconds());
            let run = SupervisorRunRow {
                id: row.id,
                message: row.message,
                team: row.team,
                team_name: row.team_name,
                status: row.status,
                source: row.source,
                worker: row.worker,
                engine: row.execution_engine,
                asked_back: row.asked_back,
                failure: row.failure,
                waiting: row.waiting,
                steps: row.steps,
                took_ms: took.map(|took| (took - row.waited_ms).max(0)),
                cost: Money(row.cost),
                is_unpriced: row.is_unpriced,
                created: exact(row.created_at, now, zone),
            };
            (run, key)
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(run, _)| run))
}

/// Runs that stand in a list to choose from: id, and message with when.
pub(crate) async fn others(
    tx: &mut ReadTx,
    team: TeamId,
    but: SupervisorRunId,
    limit: usize,
) -> Result<Vec<(String, String)>, AppError> {
    let query = SupervisorRunQuery { team: Some(team.to_string()), ..SupervisorRunQuery::default() };
    let found = list(tx, &query, limit).await?.rows.into_iter().filter(|row| row.id != but);
    let named = found.map(|row| {
        let words: String = row.message.chars().take(60).collect();
        (row.id.to_string(), format!("{words}, {}", row.created.text))
    });
    Ok(named.collect())
}

/// Sessions of a team's playground, the newest first.
pub(crate) async fn sessions(tx: &mut ReadTx, team: TeamId, limit: i64) -> Result<Vec<SessionRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select s.session_id as "session: SessionId", s.runs as "runs!", s.steps as "steps!", s.cost as "cost!", s.is_unpriced as "is_unpriced!",
                  s.at as "at!", l.status as "status: SupervisorRunStatus", l.limit_reached as "limit: Limit", left(f.user_message, 120) as "message!"
           from (
             select r.session_id, count(*) as runs, coalesce(sum(r.steps), 0)::bigint as steps, sum(r.cost) as cost,
                    bool_or(r.is_unpriced) as is_unpriced, max(r.created_at) as at
             from (select n.session_id, n.steps, n.cost, n.is_unpriced, n.created_at from supervisor_runs n
                   where n.workspace_id = $1 and n.team_id = $2 and n.source in ('playground', 'rerun')
                   order by n.created_at desc, n.id desc limit 500) r
             group by r.session_id order by max(r.created_at) desc limit $3
           ) s
           cross join lateral (select r.status, r.limit_reached from supervisor_runs r
             where r.workspace_id = $1 and r.session_id = s.session_id order by r.created_at desc, r.id desc limit 1) l
           cross join lateral (select r.user_message from supervisor_runs r
             where r.workspace_id = $1 and r.session_id = s.session_id order by r.created_at, r.id limit 1) f
           order by s.at desc"#,
        tx.workspace_uuid(),
        team.0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| SessionRow {
        session: row.session,
        message: row.message,
        status: row.status,
        runs: row.runs,
        steps: row.steps,
        cost: Money(row.cost),
        is_unpriced: row.is_unpriced,
        limit: row.limit,
        at: stamp(row.at, now, zone),
    });
    Ok(rows.collect())
}

/// Runs of a session, oldest first: the newest twenty of them. Errors: `NotFound` when it has none of this team.
pub(crate) async fn of_session(
    tx: &mut ReadTx,
    team: TeamId,
    session: SessionId,
) -> Result<Vec<SupervisorRunId>, AppError> {
    let mut ids = sqlx::query_scalar!(
        r#"select id as "id: SupervisorRunId" from supervisor_runs where workspace_id = $1 and team_id = $2 and session_id = $3
           order by created_at desc, id desc limit 20"#,
        tx.workspace_uuid(),
        team.0,
        session.0
    )
    .fetch_all(tx.conn())
    .await?;
    ids.reverse();
    if ids.is_empty() { Err(AppError::NotFound) } else { Ok(ids) }
}

/// What was asked in a session, up to a run, in order: the newest ten.
pub(crate) async fn messages(
    tx: &mut ReadTx,
    session: SessionId,
    until: SupervisorRunId,
) -> Result<Vec<String>, AppError> {
    let mut messages = sqlx::query_scalar!(
        "select r.user_message from supervisor_runs r
         join supervisor_runs u on u.workspace_id = $1 and u.id = $3
         where r.workspace_id = $1 and r.session_id = $2 and (r.created_at, r.id) <= (u.created_at, u.id)
         order by r.created_at desc, r.id desc limit 10",
        tx.workspace_uuid(),
        session.0,
        until.0
    )
    .fetch_all(tx.conn())
    .await?;
    messages.reverse();
    Ok(messages)
}

/// The team of a run. Errors: `NotFound`.
pub(crate) async fn team_of(tx: &mut ReadTx, run: SupervisorRunId) -> Result<TeamId, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select team_id as "team: TeamId" from supervisor_runs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Runs that repeat one.
pub(crate) async fn repeats(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Vec<(SupervisorRunId, Stamp)>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select id as "id: SupervisorRunId", created_at from supervisor_runs where workspace_id = $1 and again_of = $2
           order by created_at desc, id desc limit 20"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, stamp(row.created_at, now, zone))).collect())
}

/// The session of a run. Errors: `NotFound`.
pub(crate) async fn session_of(tx: &mut ReadTx, run: SupervisorRunId) -> Result<SessionId, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select session_id as "session: SessionId" from supervisor_runs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        run.0
    )
    .fetch_one(tx.conn())
    .await?)
}
