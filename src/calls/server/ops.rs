//! The list of calls; marking one as reviewed, and having its transcript or analysis made again.

use serde_json::json;

use super::enrich;
use super::recordings::FetchRecording;
use super::store::{self, enrichment, past};
use crate::model::{AnalysisStatus, CallList, CallQuery, CallView, EnrichmentType, TranscriptStatus};
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_jobs::NewJob;
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::CallId;
use patchbay_shared::{AppError, Reason};

/// The page of the list, put together from one read transaction.
pub async fn list(scope: &Scope, query: CallQuery) -> Result<CallList, AppError> {
    let mut tx = scope.read(Action::ReadCalls).await?;
    let client = store::client_of(&tx, &query)?;
    let (page, live) = store::list(&mut tx, &query, store::PAGE, true).await?;
    let is_agency = scope.may(Action::ReadWorkshop);
    let mut counts = store::counts(&mut tx, client).await?;
    if !is_agency {
        // Reviewing and repairing are the agency's work.
        counts.retain(|(view, _)| matches!(view, CallView::All | CallView::Live));
    }
    let now = tx.now().await?;
    Ok(CallList {
        page,
        live,
        counts,
        sees_cost: scope.sees(Field::Cost),
        is_agency,
        today: now.with_timezone(&scope.zone()).date_naive().to_string(),
        query,
    })
}

/// Marks a call as looked at, or takes the mark away. Doing it twice changes nothing more.
pub(crate) async fn set_reviewed(tx: &mut WriteTx, id: CallId, reviewed: bool) -> Result<(), AppError> {
    let (client, was) = enrichment::set_reviewed(tx, id, reviewed).await?;
    tx.audit(Change {
        action: if reviewed { "reviewed" } else { "unreviewed" },
        entity: "call",
        entity_id: Some(id.0),
        client_id: client,
        fields: Fields::Changed { before: json!({"reviewed": was}), after: json!({"reviewed": reviewed}) },
    })
    .await?;
    enrich::notify(tx, id, client);
    Ok(())
}

/// Has the recording fetched that an import left at the service. Asking twice is asking once. Errors: `NotFound`.
pub(crate) async fn fetch_recording(tx: &mut WriteTx, id: CallId) -> Result<(), AppError> {
    let facts = enrichment::facts(tx.reading(), id).await?;
    if !past::ask_for_recording(tx, id).await? {
        return Ok(());
    }
    patchbay_jobs::enqueue(tx, &FetchRecording { call: id, asked: 0 }, NewJob::default()).await?;
    tx.audit(Change {
        action: "asked for the recording",
        entity: "call",
        entity_id: Some(id.0),
        client_id: facts.client_id,
        fields: Fields::Changed { before: json!({ "recording": "left" }), after: json!({ "recording": "asked for" }) },
    })
    .await?;
    enrich::notify(tx, id, facts.client_id);
    Ok(())
}

/// Does a transcript or an analysis anew, with all its attempts. What is on its way goes on undisturbed.
pub(crate) async fn try_again(tx: &mut WriteTx, id: CallId, kind: EnrichmentType) -> Result<(), AppError> {
    let facts = enrichment::facts(tx.reading(), id).await?;
    if !facts.talked {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "Nobody answered this call, so there is no conversation to fetch or to read.".into(),
        ));
    }
    let was = enrichment::status(tx.reading(), id, kind).await?;
    enrich::enqueue_again(tx, id, kind).await?;
    match kind {
        EnrichmentType::Transcript => enrichment::set_transcript_status(tx, id, TranscriptStatus::Pending).await?,
        EnrichmentType::Analysis => enrichment::set_analysis_status(tx, id, AnalysisStatus::Pending).await?,
    }
    tx.audit(Change {
        action: "retried",
        entity: "call",
        entity_id: Some(id.0),
        client_id: facts.client_id,
        fields: Fields::Changed { before: json!({ kind.as_str(): was }), after: json!({ kind.as_str(): "pending" }) },
    })
    .await?;
    tx.notify(Topic::list("queues"), None);
    enrich::notify(tx, id, facts.client_id);
    Ok(())
}
