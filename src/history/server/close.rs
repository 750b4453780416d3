//! Closing gaps one by one: the service is asked for the call, and what it says is taken.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use uuid::Uuid;

use super::check::CloseGaps;
use super::ops::{self, PROVIDER, TOPIC};
use super::store::calls::Stuck;
use super::store::gaps::{self, Gap, NewGap};
use super::take::{self, Terms};
use crate::model::GapKind;
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope};
use patchbay_calls::server::fold::Words;
use patchbay_calls::server::follow;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::{Kind, ProviderError, VoiceProvider};
use patchbay_shared::ids::{CallGapId, ConnectionId};
use patchbay_shared::{AppError, Reason};
use serde_json::json;

/// Gaps that one turn of closing all reads at a time.
const AT_ONCE: i64 = 100;
/// How long closing all waits for trouble to pass that says nothing about it.
const TROUBLE: Duration = Duration::from_secs(60);

/// How a gap of this kind was closed.
pub(crate) fn how(kind: GapKind) -> &'static str {
    match kind {
        GapKind::NeverHeardOf => "The call was imported.",
        GapKind::WithoutEnd => "The end was taken from the service.",
        GapKind::WithoutBill => "The bill was taken from the service.",
    }
}

/// Closes one gap now. Errors: `NotFound`; `Conflict` when there is still nothing to take, with what the service says.
pub(crate) async fn one(scope: &Scope, provider: &str, id: CallGapId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let connection = ops::connection(tx.reading(), provider).await?;
    let gap = gaps::get(tx.reading(), connection, id).await?;
    drop(tx);
    if gap.closed {
        return Ok(());
    }
    let voice = connections::voice(scope).await?;
    let closed = close(scope, &voice, connection, &gap).await.map_err(|trouble| match trouble {
        Trouble::Service(error) => connections::down(&error),
        Trouble::Ours(error) => error,
    })?;
    if !closed {
        return Err(AppError::Conflict(
            Reason::NotReady,
            "The service has nothing new about this call. It is asked again every ten minutes.".into(),
        ));
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    tx.audit(Change {
        action: "closed",
        entity: "call_gap",
        entity_id: Some(id.0),
        client_id: None,
        fields: Fields::Happened(json!({ "kind": gap.kind, "call": gap.provider_call_id })),
    })
    .await?;
    tx.commit().await
}

/// What a run of closing all has done.
#[derive(Default)]
struct Sum {
    closed: i64,
    left: i64,
}

/// Closes all gaps of a connection that can be closed. One that cannot says why. While the service has no time for it, the run waits.
pub(crate) async fn all(scope: &Scope, job: &CloseGaps) -> Result<Verdict, Failure> {
    let voice = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(AppError::Conflict(Reason::Suspended | Reason::NotConnected, _)) => return Ok(Verdict::Done),
        Err(error) => return Err(error.into()),
    };
    let mut sum = Sum::default();
    let ended = close_open(scope, &voice, job, &mut sum).await;
    // Also when it broke off: the next run does not know what this one closed.
    let Sum { closed, left } = sum;
    let mut tx = scope.write(Action::ReplayQueues).await?;
    if closed > 0 {
        tx.audit(Change {
            action: "closed",
            entity: "call_gap",
            entity_id: None,
            client_id: None,
            fields: Fields::Happened(json!({ "service": PROVIDER, "closed": closed, "left": left })),
        })
        .await?;
    }
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    match ended {
        Ok(()) => Ok(Verdict::Done),
        Err(Trouble::Service(error)) if error.is_passing_trouble() => {
            Ok(Verdict::Later(error.retry_after.unwrap_or(TROUBLE)))
        }
        Err(Trouble::Service(error)) => Err(connections::down(&error).into()),
        Err(Trouble::Ours(error)) => Err(error.into()),
    }
}

async fn close_open(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    CloseGaps { connection, since }: &CloseGaps,
    sum: &mut Sum,
) -> Result<(), Trouble> {
    let connection = *connection;
    let mut after = Uuid::nil();
    loop {
        let mut tx = scope.read(Action::ReadQueues).await?;
        let some = gaps::open_after(&mut tx, connection, after, *since, AT_ONCE).await?;
        drop(tx);
        let Some(last) = some.last() else { return Ok(()) };
        after = last.id.0;
        for gap in &some {
            match close(scope, voice, connection, gap).await {
                Ok(true) => sum.closed += 1,
                Ok(false) => {
                    sum.left += 1;
                    let mut tx = scope.write(Action::ReplayQueues).await?;
                    gaps::asked(&mut tx, gap.id).await?;
                    tx.commit().await?;
                }
                // This one cannot be taken; those behind it can.
                Err(Trouble::Ours(AppError::Conflict(_, why))) => {
                    sum.left += 1;
                    let mut tx = scope.write(Action::ReplayQueues).await?;
                    gaps::note(&mut tx, gap.id, &why).await?;
                    tx.commit().await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }
}

async fn close(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    connection: ConnectionId,
    gap: &Gap,
) -> Result<bool, Trouble> {
    let Some(kind) = gap.kind() else { return Ok(false) };
    match (kind, gap.call) {
        (GapKind::WithoutEnd | GapKind::WithoutBill, Some(id)) => {
            let provider_call_id = gap.provider_call_id.clone();
            let stuck = Stuck { id, provider_call_id, agent_id: None, started_at: Utc::now() };
            ask(scope, voice, connection, kind, &stuck, false).await
        }
        _ => import(scope, voice, connection, kind, &gap.provider_call_id).await,
    }
}

/// Takes a call that was never heard of.
async fn import(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    connection: ConnectionId,
    kind: GapKind,
    provider_call_id: &str,
) -> Result<bool, Trouble> {
    let call = match voice.get_call(provider_call_id).await {
        Ok(call) => Some(call),
        Err(ProviderError { kind: Kind::NotFound, .. }) => None,
        Err(error) => return Err(Trouble::Service(error)),
    };
    let price_per_minute = connections::settings(scope).await?.voice_price_per_minute;
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let (id, said) = match call {
        None => (None, "Ultravox does not have this call any more."),
        Some(call) => {
            let terms = Terms { now: tx.reading().now().await?, price_per_minute };
            match take::fold_each(&mut tx, &[(&call, Words::Now)], terms).await?.into_iter().next() {
                Some(Ok(id)) => (Some(id), how(kind)),
                Some(Err(why)) => return Err(AppError::Conflict(Reason::NotReady, why).into()),
                None => return Ok(false),
            }
        }
    };
    let closed = gaps::close(&mut tx, connection, kind, provider_call_id, id, said).await?;
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(closed)
}

/// Why the service could not be asked.
pub(crate) enum Trouble {
    Service(ProviderError),
    Ours(AppError),
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::Ours(error)
    }
}

/// Asks the service how a call of ours is now, takes the answer, and closes the gap if nothing is missing any more. A gap stays, or is
/// written down, while the service has no better answer. `finds`: the call is looked at because it is stuck, and not because of its gap. True: closed.
pub(crate) async fn ask(
    scope: &Scope,
    voice: &Arc<dyn VoiceProvider>,
    connection: ConnectionId,
    kind: GapKind,
    stuck: &Stuck,
    finds: bool,
) -> Result<bool, Trouble> {
    let theirs = match voice.get_call(&stuck.provider_call_id).await {
        Ok(theirs) => Some(theirs),
        Err(ProviderError { kind: Kind::NotFound, .. }) => None,
        Err(error) => return Err(Trouble::Service(error)),
    };
    let is_live = theirs.as_ref().is_some_and(|call| call.ended.is_none());
    let has_bill = theirs.as_ref().is_some_and(|call| call.charged_seconds().is_some());
    let (is_filled, why) = match kind {
        // A call that goes on at the service too is no gap.
        GapKind::WithoutEnd if is_live => return Ok(false),
        GapKind::WithoutEnd => (true, "It has ended at Ultravox, and no webhook of the end has come."),
        _ if theirs.is_none() => (false, "Ultravox does not have this call any more, so its bill is not known."),
        _ => (has_bill, "Ultravox has not billed it yet. It is asked again every ten minutes."),
    };
    if is_filled {
        match &theirs {
            Some(call) => follow::apply_update(scope, call).await?,
            None => follow::ask(scope, voice, stuck.id, &stuck.provider_call_id).await?,
        }
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let has_closed =
        is_filled && gaps::close(&mut tx, connection, kind, &stuck.provider_call_id, Some(stuck.id), how(kind)).await?;
    // Whoever closes a gap that somebody else has closed meanwhile finds no new one.
    if finds && !has_closed {
        let gap = NewGap {
            kind,
            provider_call_id: &stuck.provider_call_id,
            call: Some(stuck.id),
            agent: stuck.agent_id,
            started_at: stuck.started_at,
            why,
        };
        gaps::open(&mut tx, connection, &gap).await?;
        if is_filled {
            gaps::close(&mut tx, connection, kind, &stuck.provider_call_id, Some(stuck.id), how(kind)).await?;
        }
    }
    tx.notify(Topic::list(TOPIC), None);
    tx.commit().await?;
    Ok(is_filled)
}
