//! Transcripts and analyses that were given up, and those that were lost: what people do with the first from the list of all queues, and the
//! sweep that finds the second.

use serde_json::json;
use uuid::Uuid;

use super::enrich::{self, notify};
use super::ops;
use super::outcomes;
use super::store::enrichment;
use super::store::stuck as store;
use crate::model::{AnalysisStatus, EnrichmentType, TranscriptStatus};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::CallId;
use patchbay_shared::{AppError, Reason};

/// So long after its end a call's words are surely being fetched, or their fetching is lost.
const GRACE_MINUTES: i32 = 10;
/// So often lost work is put back before it is given up.
const MOST_RESCUES: i32 = 3;

const LOST: &str = "The work on this was lost several times over: each time it ended without a result and without a reason. Try it again; \
                    if that does not help, tell whoever runs this server.";

/// Does failed work again, with all its attempts. Errors: `NotFound`; `Conflict` unless it has failed.
pub async fn retry(tx: &mut WriteTx, id: Uuid) -> Result<(), AppError> {
    let item = store::item(tx.reading(), id).await?;
    must_have_failed(item.has_failed)?;
    ops::try_again(tx, item.call, item.kind).await
}

/// The same for failed work: the oldest after `after`, `most` of it. Gives which.
pub async fn retry_failed(tx: &mut WriteTx, after: Uuid, most: i64) -> Result<Vec<Uuid>, AppError> {
    let again = store::retry_failed(tx, after, most).await?;
    if !again.is_empty() {
        enrich::look_now(tx).await?;
        let state = |status: &str| json!({ "status": status, "pieces": again.len() });
        record(tx, "retried", None, state("failed"), state("pending")).await?;
    }
    Ok(again)
}

/// Failed work is not done any more. The call goes on saying that it failed.
pub async fn discard(tx: &mut WriteTx, id: Uuid) -> Result<(), AppError> {
    let item = store::item(tx.reading(), id).await?;
    must_have_failed(item.has_failed && store::discard(tx, id).await?)?;
    let before = json!({ "call": item.call, "type": item.kind, "status": "failed", "error": item.last_error });
    let after = json!({ "call": item.call, "type": item.kind, "status": "discarded" });
    record(tx, "discarded", Some(id), before, after).await
}

fn must_have_failed(has_failed: bool) -> Result<(), AppError> {
    if has_failed {
        return Ok(());
    }
    Err(AppError::Conflict(Reason::WrongState, "This has not failed, or is being tried again already.".into()))
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: Option<Uuid>,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Result<(), AppError> {
    let fields = Fields::Changed { before, after };
    tx.audit(Change { action, entity: "enrichment", entity_id: id, client_id: None, fields }).await?;
    for topic in ["queues", "dashboard", "calls"] {
        tx.notify(Topic::list(topic), None);
    }
    Ok(())
}

/// Finds calls that say their words are on their way while nobody is at it: a row that was lost, or work whose end the call was not told. It
/// is put back, and after three times given up with a reason, for a person to see. Gives how many calls it found. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<usize, AppError> {
    let mut tx = scope.read(Action::ReadQueues).await?;
    let lost = store::lost(&mut tx, GRACE_MINUTES).await?;
    drop(tx);
    let found = lost.len();
    for lost in lost {
        let mut tx = scope.write(Action::ReplayQueues).await?;
        let is_over = lost.has_failed || lost.rescues >= MOST_RESCUES;
        if is_over {
            store::give_up(&mut tx, lost.call, lost.kind, LOST).await?;
            set_failed(&mut tx, lost.call, lost.kind).await?;
            outcomes::settle(&mut tx, lost.call).await?;
            patchbay_runs::server::live::follow(&mut tx, &[lost.call]).await?;
        } else if store::put_back(&mut tx, lost.call, lost.kind).await? {
            tracing::warn!(call_id = %lost.call, kind = %lost.kind, "work on a call's words was lost, and is put back");
            enrich::look_now(&mut tx).await?;
        }
        tx.notify(Topic::list("queues"), None);
        notify(&mut tx, lost.call, lost.client_id);
        tx.commit().await?;
    }
    Ok(found)
}

async fn set_failed(tx: &mut WriteTx, call: CallId, kind: EnrichmentType) -> Result<(), AppError> {
    match kind {
        EnrichmentType::Transcript => enrichment::set_transcript_status(tx, call, TranscriptStatus::Failed).await,
        EnrichmentType::Analysis => enrichment::set_analysis_status(tx, call, AnalysisStatus::Failed).await,
    }
}
