//! Statements about cases, as pages show them.

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::CaseExpects;
use crate::model::views::{CaseResult, TeamCaseQuery, TeamCaseRow};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{SessionId, SupervisorRunId, TeamCaseId, TeamId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// Cases by name.
pub(crate) async fn list(
    tx: &mut ReadTx,
    team: TeamId,
    query: &TeamCaseQuery,
    limit: usize,
) -> Result<Page<TeamCaseRow>, AppError> {
    page(tx, team, None, query, limit).await
}

/// One case, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, team: TeamId, id: TeamCaseId) -> Result<TeamCaseRow, AppError> {
    page(tx, team, Some(id), &TeamCaseQuery::default(), 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    team: TeamId,
    one: Option<TeamCaseId>,
    query: &TeamCaseQuery,
    limit: usize,
) -> Result<Page<TeamCaseRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
    let place: Option<(String, Uuid)> =
        cursor.as_ref().and_then(|cursor| name_place(&cursor.key)).map(|(name, id)| (name.to_owned(), id));
    let ascending = (query.sort.as_deref() != Some("-name")) == cursor.as_ref().is_none_or(|cursor| cursor.older);
    let rows = sqlx::query!(
        r#"select c.id as "id: TeamCaseId", c.name, jsonb_array_length(c.messages) as "messages!", c.expects as "expects: Json<CaseExpects>",
                  a.name as "worker?", c.last_run_id as "last_run: SupervisorRunId", c.last_passed, c.last_note, c.last_at
           from team_cases c
           left join agents a on a.workspace_id = $1 and a.id = (c.expects ->> 'worker')::uuid
           where c.workspace_id = $1 and c.team_id = $2 and c.is_active and ($3::uuid is null or c.id = $3)
             and ($4::text is null or c.name ilike $4 or c.messages::text ilike $4)
             and ($5::text is null or $5 = case when c.last_run_id is null then 'never' when c.last_passed is null then 'running'
                                               when c.last_passed then 'passed' else 'failed' end)
             and ($6::text is null or case when $8 then (c.name, c.id) > ($6, $7::uuid) else (c.name, c.id) < ($6, $7::uuid) end)
           order by case when $8 then c.name end, case when $8 then c.id end, case when not $8 then c.name end desc,
                    case when not $8 then c.id end desc
           limit $9"#,
        tx.workspace_uuid(),
        team.0,
        one.map(|id| id.0),
        like(query.words.as_deref()),
        filled(query.result.as_deref()),
        place.as_ref().map(|(name, _)| name.as_str()),
        place.as_ref().map(|(_, id)| *id),
        ascending,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let worker = row.worker.map(|name| format!("worker is {name}"));
            let asks = row.expects.asks_approval.then(|| "approval is asked".to_owned());
            let contains = row.expects.output_contains.as_ref().map(|text| format!("answer contains “{text}”"));
            let result = match (row.last_run, row.last_passed) {
                (None, _) => CaseResult::Never,
                (_, None) => CaseResult::Running,
                (_, Some(true)) => CaseResult::Passed,
                (_, Some(false)) => CaseResult::Failed,
            };
            TeamCaseRow {
                id: row.id,
                name: row.name,
                messages: row.messages.into(),
                expects: [worker, asks, contains].into_iter().flatten().collect(),
                result,
                note: row.last_note.filter(|note| !note.is_empty()),
                last_run: row.last_run,
                last_at: row.last_at.map(|at| stamp(at, now, zone)),
            }
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &TeamCaseRow| format!("{}_{}", row.id, row.name)))
}

/// The newest case that was made of a session.
pub(crate) async fn of_session(
    tx: &mut ReadTx,
    team: TeamId,
    session: SessionId,
) -> Result<Option<(TeamCaseId, String)>, AppError> {
    let row = sqlx::query!(
        r#"select c.id as "id: TeamCaseId", c.name from team_cases c
           join supervisor_runs r on r.workspace_id = $1 and r.id = c.from_run_id
           where c.workspace_id = $1 and c.team_id = $2 and r.session_id = $3 and c.is_active order by c.created_at desc, c.id desc limit 1"#,
        tx.workspace_uuid(),
        team.0,
        session.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.name)))
}
