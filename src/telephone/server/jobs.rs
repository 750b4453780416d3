//! Calls whose request was never answered: a process may have stopped in the middle, or the voice service kept silent. The service is
//! asked what it knows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::voice;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_calls::model::MissedReason;
use patchbay_calls::server::{dialled, incoming};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, Registry};
use patchbay_shared::ids::CallId;

/// When a call is looked after that nobody has brought to the line until then.
pub(crate) const AFTER: chrono::Duration = chrono::Duration::seconds(60);
/// How long the service may be out of reach before the call is given up.
const GIVEN_UP: i64 = 600;

/// Looks after one call that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SettleCall {
    pub call: CallId,
}

impl Job for SettleCall {
    const KIND: &'static str = "settle_call";
    const ACTIONS: &'static [Action] = &[Action::ReadCalls, Action::UseConnections, Action::ReplayQueues];
    // It asks what became of a call that was asked for before.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.call.to_string())
    }
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: SettleCall| async move { run(&scope, job.call).await });
}

async fn run(scope: &Scope, id: CallId) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadCalls).await?;
    let (unheard, now) = (incoming::unheard(&mut tx, id).await?, tx.now().await?);
    drop(tx);
    let Some(call) = unheard else { return Ok(Verdict::Done) };
    let found = match connections::voice_to_look(scope).await {
        Ok(service) => voice::find(&service, id).await.map_err(|error| error.sentence()),
        Err(error) => Err(error.to_string()),
    };
    let why = match found {
        Ok(Some(made)) => {
            let mut tx = scope.write(Action::ReplayQueues).await?;
            dialled::mark_placed(&mut tx, id, &made.id).await?;
            tx.commit().await?;
            return Ok(Verdict::Done);
        }
        Ok(None) => "The voice service did not take the call.".to_owned(),
        Err(_) if (now - call.asked_at).num_seconds() < GIVEN_UP => return Ok(Verdict::Later(Duration::from_secs(30))),
        Err(error) => error,
    };
    let mut tx = scope.write(Action::ReplayQueues).await?;
    if call.is_incoming {
        incoming::end_missed(&mut tx, id, MissedReason::Failed, Some(&why)).await?;
    } else {
        dialled::mark_refused(&mut tx, id, call.asked_at, &why).await?;
    }
    tx.commit().await?;
    Ok(Verdict::Done)
}
