//! What the carrier is asked and told about the legs of caller and person.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{NOBODY, TALKING, act, notify, settle};
use crate::model::TransferStatus;
use crate::server::store::transfers::{self as store, Transfer};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_providers::{Kind, ProviderError};

/// How long past the deadline the carrier is asked what became of a ring.
const ASKED_FOR: TimeDelta = TimeDelta::seconds(60);
/// When to ask a carrier again that did not say.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// The carrier has not said how a ring ended, so it is asked. A leg that is there for longer than it may ring was answered.
pub(super) async fn unheard(scope: &Scope, found: &Transfer, late_since: DateTime<Utc>) -> Result<Verdict, Failure> {
    let now = scope.read(Action::ReadWorkshop).await?.now().await?;
    let mut is_answered = false;
    if let Some(leg) = &found.control {
        let carrier = connections::telephony_to_look(scope).await?;
        match carrier.get_call(leg).await {
            Ok(leg) if leg.is_alive => is_answered = true,
            Err(error) if error.is_passing_trouble() && now < late_since + ASKED_FOR => {
                return Ok(Verdict::Later(ASKED_AGAIN));
            }
            // Should it ring after all, it ends: the agent is about to go on.
            Err(_) => _ = carrier.hangup(leg, &format!("{}-end", found.id)).await,
            Ok(_) => {}
        }
    }
    let mut tx = scope.write(Action::UseTools).await?;
    if is_answered {
        if store::connect(&mut tx, found.id, now).await? {
            act(&mut tx, found.id).await?;
        }
    } else {
        store::miss(&mut tx, found.id, TransferStatus::NotAnswered, NOBODY, now).await?;
    }
    notify(&mut tx, found.call, found.client);
    tx.commit().await?;
    Ok(Verdict::Later(Duration::ZERO))
}

/// The caller is with a person: the agent's side ends, the caller's leg stays.
pub(super) async fn leave(scope: &Scope, found: &Transfer) -> Result<(), Failure> {
    if let Some(line) = &found.line {
        let carrier = connections::telephony_to_look(scope).await?;
        match carrier.stop_streaming(line, &format!("{}-leave", found.id)).await {
            Err(error) if error.is_passing_trouble() => return Err(connections::failure(&error)),
            // The agent has hung up by itself, or the caller has.
            Err(error) => tracing::info!(transfer = %found.id, cause = %error, "the agent had left the call already"),
            Ok(()) => {}
        }
    }
    settle(scope, found.id, found.status).await?;
    Ok(())
}

/// An event may have been lost: the carrier is asked whether they still talk.
pub(super) async fn still_talking(scope: &Scope, found: &Transfer) -> Result<Verdict, Failure> {
    let Some(leg) = &found.control else { return Ok(Verdict::Done) };
    let ended = match connections::telephony_to_look(scope).await?.get_call(leg).await {
        Ok(leg) if leg.is_alive => return Ok(Verdict::Later(TALKING)),
        Ok(leg) => leg.ended,
        Err(ProviderError { kind: Kind::NotFound, .. }) => None,
        Err(error) => return Err(connections::failure(&error)),
    };
    let mut tx = scope.write(Action::UseTools).await?;
    let now = tx.reading().now().await?;
    store::end(&mut tx, found.id, ended.unwrap_or(now), false).await?;
    notify(&mut tx, found.call, found.client);
    tx.commit().await?;
    Ok(Verdict::Done)
}
