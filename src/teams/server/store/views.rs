//! What pages about teams read: teams with their members and versions. `runs` has statements about runs, `tree` what happened in one, `cases`
//! those about cases, `choices` what forms choose from.

pub(crate) mod cases;
pub(crate) mod choices;
pub(crate) mod runs;
pub(crate) mod tree;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::views::{MemberRow, TeamHead, TeamQuery, TeamRow, TeamVersionQuery, TeamVersionRow};
use crate::model::{TeamFields, TeamMode, TeamSettings, TeamSnapshot};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, ClientId, TeamAgentId, TeamId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key};

/// Runs are counted up to here.
const MOST_RUNS: i64 = 1001;

/// Teams by name, or by when they were changed.
pub(crate) async fn list(tx: &mut ReadTx, query: &TeamQuery, limit: usize) -> Result<Page<TeamRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let sort = query.sort.as_deref().unwrap_or("name");
    let by_age = sort.ends_with("changed");
    let cursor = Cursor::parse(query.cursor.as_deref());
    let aged = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)).filter(|_| by_age);
    let named = cursor.as_ref().and_then(|cursor| name_of(&cursor.key)).filter(|_| !by_age);
    let cursor = cursor.filter(|_| aged.is_some() || named.is_some());
    let ascending = sort.starts_with('-') != cursor.as_ref().is_none_or(|cursor| cursor.older);
    let active = match query.state.as_deref() {
        Some("all") => None,
        Some("inactive") => Some(false),
        _ => Some(true),
    };
    let client = filled(query.client.as_deref()).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let found = sqlx::query!(
        r#"select t.id as "id: TeamId", t.name, t.description, t.mode as "mode: TeamMode", c.name as "client?", t.is_active, t.updated_at,
                  (select count(*) from team_agents m where m.workspace_id = $1 and m.team_id = t.id and m.is_active) as "members!",
                  (select count(distinct r.id) from execution_approvals a join supervisor_runs r on r.workspace_id = $1 and r.id = a.supervisor_run_id
                   where a.workspace_id = $1 and a.decision is null and r.team_id = t.id) as "waiting!",
                  (select r.created_at from supervisor_runs r where r.workspace_id = $1 and r.team_id = t.id
                   order by r.created_at desc, r.id desc limit 1) as last_run
           from teams t
           left join clients c on c.workspace_id = $1 and c.id = t.client_id
           where t.workspace_id = $1
             and ($2::text is null or t.name ilike $2 or t.description ilike $2) and ($3::text is null or t.mode = $3)
             and ($4::uuid is null or t.client_id = $4) and ($5::bool is null or t.is_active = $5)
             and ($6::text is null or case when $10 then (t.name, t.id) > ($6, $8::uuid) else (t.name, t.id) < ($6, $8::uuid) end)
             and ($7::timestamptz is null
                  or case when $10 then (t.updated_at, t.id) > ($7, $8::uuid) else (t.updated_at, t.id) < ($7, $8::uuid) end)
           order by case when $10 and not $9 then t.name end, case when not $10 and not $9 then t.name end desc,
                    case when $10 and $9 then t.updated_at end, case when not $10 and $9 then t.updated_at end desc,
                    case when $10 then t.id end, case when not $10 then t.id end desc
           limit $11"#,
        tx.workspace_uuid(),
        like(query.words.as_deref()),
        filled(query.mode.as_deref()),
        client,
        active,
        named.as_ref().map(|(name, _)| name.as_str()),
        aged.map(|(at, _)| at),
        aged.map(|(_, id)| id).or(named.as_ref().map(|(_, id)| *id)),
        by_age,
        ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows: Vec<(TeamRow, DateTime<Utc>)> = found
        .into_iter()
        .map(|row| {
            let shown = TeamRow {
                id: row.id,
                name: row.name,
                description: row.description,
                mode: row.mode,
                client: row.client,
                members: row.members,
                waiting: row.waiting,
                last_run: row.last_run.map(|at| stamp(at, now, zone)),
                is_active: row.is_active,
                updated: stamp(row.updated_at, now, zone),
            };
            (shown, row.updated_at)
        })
        .collect();
    let key = |(row, at): &(TeamRow, DateTime<Utc>)| match by_age {
        true => time_key(*at, row.id.0),
        false => format!("{}_{}", row.id, row.name),
    };
    Ok(Page::cut(rows, limit, cursor.as_ref(), key).map(|(row, _)| row))
}

fn name_of(key: &str) -> Option<(String, Uuid)> {
    patchbay_shared::search::name_place(key).map(|(name, id)| (name.to_owned(), id))
}

/// What stands above all pages of a team. Errors: `NotFound`.
pub(crate) async fn head(tx: &mut ReadTx, id: TeamId) -> Result<TeamHead, AppError> {
    let row = sqlx::query!(
        r#"select t.name, t.description, t.mode as "mode: TeamMode", t.client_id as "client_id: ClientId", c.name as "client?", t.revision,
                  t.is_active, coalesce(c.status = 'archived', false) as "is_archived!",
                  (select count(*) from team_agents m where m.workspace_id = $1 and m.team_id = t.id and m.is_active) as "members!",
                  (select count(*) from team_cases k where k.workspace_id = $1 and k.team_id = t.id and k.is_active) as "cases!",
                  (select count(*) from team_versions v where v.workspace_id = $1 and v.team_id = t.id) as "versions!",
                  (select count(*) from (select 1 from supervisor_runs r where r.workspace_id = $1 and r.team_id = t.id limit $3) r) as "runs!"
           from teams t
           left join clients c on c.workspace_id = $1 and c.id = t.client_id
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        id.0,
        MOST_RUNS
    )
    .fetch_one(tx.conn())
    .await?;
    let rest = match (&row.client, row.members) {
        _ if !row.is_active => Some("This team is deactivated: it takes no messages until it is restored.".to_owned()),
        (Some(client), _) if row.is_archived => {
            Some(format!("{client} is archived: the team takes no messages until the client is restored."))
        }
        (_, 0) => Some("The team has no members yet: add the agents that work in it.".to_owned()),
        _ => None,
    };
    let may = |action| tx.scope().may(action);
    Ok(TeamHead {
        id,
        name: row.name,
        description: row.description,
        mode: row.mode,
        client: row.client_id.zip(row.client),
        revision: row.revision,
        is_active: row.is_active,
        members: row.members,
        cases: row.cases,
        runs: row.runs,
        versions: row.versions,
        rest,
        may_edit: may(Action::ManageTeams),
        may_run: may(Action::RunTeams),
    })
}

/// A team as it is set up. Errors: `NotFound`.
pub(crate) async fn fields(tx: &mut ReadTx, id: TeamId) -> Result<TeamFields, AppError> {
    let row = sqlx::query!(
        r#"select name, description, mode as "mode: TeamMode", client_id as "client: ClientId", settings as "settings: Json<TeamSettings>"
           from teams where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(TeamFields {
        name: row.name,
        description: row.description,
        mode: row.mode,
        client: row.client,
        settings: row.settings.0,
    })
}

/// The members, in their order.
pub(crate) async fn members(tx: &mut ReadTx, id: TeamId) -> Result<Vec<MemberRow>, AppError> {
    let rows = sqlx::query!(
        r#"select m.id as "id: TeamAgentId", m.agent_id as "agent: AgentId", a.name, m.role, a.status::text as "status!",
                  a.deleted_at is not null or not a.is_active as "is_gone!",
                  exists (select from prompt_versions v where v.workspace_id = $1 and v.prompt_id = a.prompt_service_id
                            and 'production' = any(v.labels)) as "is_published!"
           from team_agents m join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.team_id = $2 and m.is_active order by m.order_index, m.id"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| {
        let rest = match row.status.as_str() {
            _ if row.is_gone => Some("Deactivated: it takes no work. Take it out of the team, or restore it."),
            "paused" => Some("Paused: it takes no work until it is active again."),
            _ if !row.is_published => Some("Its prompt has no version in production."),
            _ => None,
        };
        MemberRow { id: row.id, agent: row.agent, name: row.name, role: row.role, rest: rest.map(str::to_owned) }
    });
    Ok(rows.collect())
}

/// Versions, newest first.
pub(crate) async fn versions(
    tx: &mut ReadTx,
    id: TeamId,
    query: &TeamVersionQuery,
    limit: usize,
) -> Result<Page<TeamVersionRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<i32>().is_ok());
    let place: Option<i32> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let oldest_first = query.sort.as_deref() == Some("number");
    let upwards = cursor.as_ref().is_some_and(|cursor| !cursor.older) != oldest_first;
    let rows = sqlx::query!(
        r#"select v.number, v.note, u.name as "author?", v.created_at, v.number = t.revision as "is_current!"
           from team_versions v
           join teams t on t.workspace_id = $1 and t.id = v.team_id
           left join users u on u.id = v.author_id
           where v.workspace_id = $1 and v.team_id = $2 and ($3::text is null or v.note ilike $3 or v.snapshot ->> 'name' ilike $3)
             and ($4::int is null or case when $5 then v.number > $4 else v.number < $4 end)
           order by case when $5 then v.number end, case when not $5 then v.number end desc
           limit $6"#,
        tx.workspace_uuid(),
        id.0,
        like(query.words.as_deref()),
        place,
        upwards,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| TeamVersionRow {
            number: row.number,
            note: row.note,
            author: row.author,
            at: stamp(row.created_at, now, zone),
            is_current: row.is_current,
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &TeamVersionRow| row.number.to_string()))
}

/// What a version kept. Errors: `NotFound`.
pub(crate) async fn snapshot(tx: &mut ReadTx, id: TeamId, number: i32) -> Result<TeamSnapshot, AppError> {
    let found = sqlx::query_scalar!(
        r#"select snapshot as "snapshot: Json<TeamSnapshot>" from team_versions
           where workspace_id = $1 and team_id = $2 and number = $3"#,
        tx.workspace_uuid(),
        id.0,
        number
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found.0)
}
