use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::views::{self as store, cases, runs};
use crate::model::views::{
    SupervisorRunQuery, SupervisorRunRow, TeamCaseQuery, TeamQuery, TeamState, TeamVersionQuery,
};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::ids::TeamId;

/// Teams, their versions and cases, and runs as files. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/teams/export.csv", get(export_teams))
        .route("/teams/{id}/versions/export.csv", get(export_versions))
        .route("/teams/{id}/cases/export.csv", get(export_cases))
        .route("/teams/{id}/runs/export.csv", get(export_team_runs))
        .route("/supervisor-runs/export.csv", get(export_runs))
}

async fn export_teams(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<TeamQuery>,
) -> Result<Response, AppError> {
    let head = vec!["team", "description", "mode", "client", "members", "waiting", "state", "last_run", "updated_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "teams.csv", head, move |mut tx, cursor| {
        let query = TeamQuery { cursor, ..query.clone() };
        async move {
            Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.description,
                    row.mode.as_str().to_owned(),
                    row.client.unwrap_or_default(),
                    row.members.to_string(),
                    row.waiting.to_string(),
                    TeamState::of(row.is_active).as_str().to_owned(),
                    row.last_run.map(|at| at.utc).unwrap_or_default(),
                    row.updated.utc,
                ]
            }))
        }
    })
    .await
}

async fn export_versions(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<TeamVersionQuery>,
) -> Result<Response, AppError> {
    let team: TeamId = id.parse()?;
    let head = vec!["version", "note", "author", "at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "versions.csv", head, move |mut tx, cursor| {
        let query = TeamVersionQuery { cursor, ..query.clone() };
        async move {
            store::head(&mut tx, team).await?;
            Ok(store::versions(&mut tx, team, &query, ROWS_AT_ONCE)
                .await?
                .map(|row| vec![row.number.to_string(), row.note, row.author.unwrap_or_default(), row.at.utc]))
        }
    })
    .await
}

async fn export_cases(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<TeamCaseQuery>,
) -> Result<Response, AppError> {
    let team: TeamId = id.parse()?;
    let head = vec!["case", "messages", "expects", "result", "note", "last_run", "last_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "cases.csv", head, move |mut tx, cursor| {
        let query = TeamCaseQuery { cursor, ..query.clone() };
        async move {
            store::head(&mut tx, team).await?;
            Ok(cases::list(&mut tx, team, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.messages.to_string(),
                    row.expects.join(", "),
                    row.result.as_str().to_owned(),
                    row.note.unwrap_or_default(),
                    row.last_run.map(|run| run.to_string()).unwrap_or_default(),
                    row.last_at.map(|at| at.utc).unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}

async fn export_team_runs(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<SupervisorRunQuery>,
) -> Result<Response, AppError> {
    let team: TeamId = id.parse()?;
    store::head(&mut visitor.scope()?.read(Action::ReadWorkshop).await?, team).await?;
    run_file(visitor, SupervisorRunQuery { team: Some(team.to_string()), ..query }).await
}

async fn export_runs(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<SupervisorRunQuery>,
) -> Result<Response, AppError> {
    run_file(visitor, query).await
}

async fn run_file(visitor: Visitor, query: SupervisorRunQuery) -> Result<Response, AppError> {
    let head = vec![
        "run",
        "team",
        "message",
        "status",
        "source",
        "worker",
        "engine",
        "asked_back",
        "waiting",
        "steps",
        "took_ms",
        "cost",
        "failure",
        "created_at",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "supervisor-runs.csv", head, move |mut tx, cursor| {
        let query = SupervisorRunQuery { cursor, ..query.clone() };
        async move { Ok(runs::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: SupervisorRunRow) -> Vec<String> {
    vec![
        row.id.to_string(),
        row.team_name,
        row.message,
        row.status.as_str().to_owned(),
        row.source.as_str().to_owned(),
        row.worker.unwrap_or_default(),
        row.engine.unwrap_or_default(),
        row.asked_back.to_string(),
        row.waiting.to_string(),
        row.steps.to_string(),
        row.took_ms.map(|took| took.to_string()).unwrap_or_default(),
        if row.is_unpriced { String::new() } else { row.cost.0.to_string() },
        row.failure.unwrap_or_default(),
        row.created.utc,
    ]
}
