use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store::templates;
use super::{drafts, store};
use crate::model::{AgentQuery, AgentRow, TemplateQuery, VersionQuery};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentId;

/// `/agents/export.csv`: the list with the filters of its address; `/agents/{id}/versions/export.csv`: an agent's versions.
/// `/agents/templates/export.csv`: templates. `/agents/voices/{id}/sample`: how a voice sounds.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/agents/export.csv", get(export))
        .route("/agents/{id}/versions/export.csv", get(export_versions))
        .route("/agents/templates/export.csv", get(export_templates))
        .route("/agents/voices/{id}/sample", get(voice_sample))
}

/// Handed on by us, because pages may load sound from nowhere else, and the service's key stays here.
async fn voice_sample(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let sample = patchbay_connections::server::voice_sample(&visitor.scope()?, &id).await?;
    if !sample.content_type.starts_with("audio/") {
        return Err(AppError::NotFound);
    }
    let headers = [
        (header::CONTENT_TYPE, sample.content_type),
        (header::CACHE_CONTROL, "private, max-age=86400".to_owned()),
        (header::CONTENT_DISPOSITION, "inline".to_owned()),
    ];
    Ok((headers, Body::from_stream(sample.bytes)).into_response())
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<AgentQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
        "name",
        "status",
        "client",
        "language",
        "model",
        "prompt",
        "prompt_version",
        "at_voice_service",
        "has_draft",
        "tags",
        "updated_at",
    ];
    csv_file(scope, Action::ReadWorkshop, "agents.csv", head, move |mut tx, cursor| {
        let query = AgentQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

async fn export_versions(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<VersionQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let id: AgentId = id.parse()?;
    let published = store::get(&mut tx, id).await?.version;
    drop(tx);
    let head = vec!["version", "published", "author", "note", "changed", "published_at"];
    csv_file(scope, Action::ReadWorkshop, "agent-versions.csv", head, move |mut tx, cursor| {
        let query = VersionQuery { cursor, ..query.clone() };
        async move {
            Ok(drafts::rows(&mut tx, id, published, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.version.to_string(),
                    if row.is_published { "yes" } else { "no" }.to_owned(),
                    row.author.unwrap_or_default(),
                    row.note,
                    row.changed.join(", "),
                    row.at.utc,
                ]
            }))
        }
    })
    .await
}

async fn export_templates(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<TemplateQuery>,
) -> Result<Response, AppError> {
    let head = vec!["name", "version", "state", "language", "model", "agents", "agents_behind", "updated_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "agent-templates.csv", head, move |mut tx, cursor| {
        let query = TemplateQuery { cursor, ..query.clone() };
        async move {
            Ok(templates::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.version.to_string(),
                    if row.is_active { "active" } else { "archived" }.to_owned(),
                    row.language,
                    row.llm_model,
                    row.agents.to_string(),
                    row.behind.to_string(),
                    row.updated.utc,
                ]
            }))
        }
    })
    .await
}

fn cells(row: AgentRow) -> Vec<String> {
    vec![
        row.name,
        match (row.is_deleted, row.is_active) {
            (true, _) => "deleted",
            (_, false) => "deactivated",
            _ => row.status.as_str(),
        }
        .to_owned(),
        row.client.unwrap_or_default(),
        row.language,
        row.llm_model,
        row.prompt.unwrap_or_default(),
        row.prompt_version.map(|version| version.to_string()).unwrap_or_default(),
        row.sync.as_str().to_owned(),
        if row.has_draft { "yes" } else { "no" }.to_owned(),
        row.tags.join(", "),
        row.updated.utc,
    ]
}
