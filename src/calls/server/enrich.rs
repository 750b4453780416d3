//! The queue that fetches transcripts and reads them. No transaction is held while a service is asked.

use std::time::Duration;

use super::store::enrichment as store;
use super::{analysis, outcomes, transcript};
use crate::model::{AnalysisStatus, EnrichmentType, TranscriptStatus};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope, WriteTx};
use patchbay_jobs::lease::{Claim, ENRICHMENTS};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Queue, Verdict};
use patchbay_providers::{Kind, ProviderError};
use patchbay_runs::model::ErrorSource;
use patchbay_runs::server as runs;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, RunId};

const BELL: &str = "enrichment";
/// How long work of a suspended workspace waits before it is looked at again.
const SUSPENDED: Duration = Duration::from_secs(900);

/// Asks for transcripts or analyses, inside the transaction that made them possible. Asking twice changes nothing, also when it has
/// been done before.
pub(crate) async fn enqueue_all(tx: &mut WriteTx, calls: &[CallId], kind: EnrichmentType) -> Result<(), AppError> {
    if !calls.is_empty() {
        store::enqueue(tx, calls, kind).await?;
        tx.wake(BELL);
    }
    Ok(())
}

/// The same, and work that was done or given up is done anew.
pub(crate) async fn enqueue_again(tx: &mut WriteTx, call: CallId, kind: EnrichmentType) -> Result<(), AppError> {
    store::enqueue_again(tx, call, kind).await?;
    tx.wake(BELL);
    Ok(())
}

/// The workspace is active again: what waits in its queue is looked at now.
pub async fn look_now(tx: &mut WriteTx) -> Result<(), AppError> {
    store::look_now(tx).await?;
    tx.wake(BELL);
    Ok(())
}

/// All that fetching a transcript and reading it may do.
const ENRICHMENT: Machine =
    Machine { name: "enrichment", actions: &[Action::ReadQueues, Action::UseConnections, Action::ReplayQueues] };

/// Transcripts and analyses, eight at once.
pub fn queue() -> Queue {
    Queue::new(ENRICHMENTS, BELL, 8, ENRICHMENT, work)
}

async fn work(scope: Scope, claim: Claim) -> Result<Verdict, Failure> {
    let (call, kind, suspended, is_wanted) = {
        let mut tx = scope.read(Action::ReadQueues).await?;
        let (call, kind) = store::item(&mut tx, claim.id).await?;
        (call, kind, store::is_suspended(&mut tx).await?, store::facts(&mut tx, call).await?.client_is_active)
    };
    // A transcript costs nothing, and the provider does not keep it for ever; reading it costs money.
    if suspended && kind == EnrichmentType::Analysis {
        return Ok(Verdict::Later(SUSPENDED));
    }
    let done = match kind {
        EnrichmentType::Analysis if !is_wanted => Err(Failure {
            error: "The client is archived, so no model is asked. Restore the client, then run the analysis again."
                .into(),
            retry_after: None,
            permanent: true,
        }),
        EnrichmentType::Transcript => transcript::fetch(&scope, &claim, call).await,
        EnrichmentType::Analysis => analysis::read(&scope, &claim, call).await,
    };
    if let Err(failure) = &done {
        let is_last = failure.permanent || claim.attempt >= claim.max_attempts;
        if let Err(error) = mark_failed(&scope, &claim, (call, kind), is_last, &failure.error).await {
            tracing::warn!(%call, cause = %error, "could not show on the call that its enrichment failed");
        }
    }
    done
}

/// Shows on the call where it stands after a failure: waiting for the next try, or given up.
async fn mark_failed(
    scope: &Scope,
    claim: &Claim,
    (call, kind): (CallId, EnrichmentType),
    is_last: bool,
    error: &str,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    // Whoever has taken the work over says how it went.
    if !store::is_ours(tx.reading(), claim).await? {
        return Ok(());
    }
    let facts = store::facts(tx.reading(), call).await?;
    let client = facts.client_id;
    match kind {
        EnrichmentType::Transcript => {
            let status = if is_last { TranscriptStatus::Failed } else { TranscriptStatus::Pending };
            store::set_transcript_status(&mut tx, call, status).await?;
            if is_last {
                // What the carrier heard counts, also when nobody will ever know what was said.
                outcomes::settle(&mut tx, call).await?;
            }
        }
        EnrichmentType::Analysis => {
            let status = if is_last { AnalysisStatus::Failed } else { AnalysisStatus::Pending };
            store::set_analysis_status(&mut tx, call, status).await?;
        }
    }
    if is_last {
        runs::live::follow(&mut tx, &[call]).await?;
        let (source, code) = match kind {
            EnrichmentType::Transcript => (ErrorSource::Integration, "transcript"),
            EnrichmentType::Analysis => (ErrorSource::Llm, "analysis"),
        };
        let error = runs::NewError {
            run: Some(RunId(call.0)),
            agent: facts.agent_id,
            client,
            source,
            code,
            message: error,
            metadata: serde_json::json!({ "call": call, "attempt": claim.attempt }),
        };
        runs::failed(&mut tx, &error).await?;
    }
    notify(&mut tx, call, client);
    tx.commit().await
}

/// Tells open pages that this call changed.
pub(super) fn notify(tx: &mut WriteTx, call: CallId, client: Option<ClientId>) {
    tx.notify(Topic::list("calls"), client);
    tx.notify(Topic::one("call", call), client);
}

/// A service's error as the outcome of the work. Refused credentials also show on the connection: that of the service, or, among several
/// of one service, that of this id.
pub(super) async fn refused(scope: &Scope, connection: &str, error: &ProviderError) -> Failure {
    use patchbay_connections::server::ops;
    if error.kind == Kind::Credentials
        && let Err(cause) = ops::mark_failing(scope, connection, &error.sentence()).await
    {
        tracing::warn!(provider = error.provider, %cause, "could not mark the connection as failing");
    }
    let mut failure = ops::failure(error);
    // An owner mends credentials and pays bills within hours; a transcript that is asked for again does no harm.
    let is_limit = error.kind == Kind::Rejected && error.status == Some(429);
    if error.kind == Kind::Credentials || error.status == Some(402) || is_limit {
        failure.permanent = false;
        failure.retry_after = Some(Duration::from_secs(600));
    }
    failure
}

/// The work is done by somebody else now: nothing may be recorded.
pub(super) fn taken_over() -> Failure {
    Failure { error: "Another worker has taken this over.".into(), retry_after: None, permanent: false }
}
