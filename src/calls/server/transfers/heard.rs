//! What the carrier tells of the legs of people who are rung.

use chrono::{DateTime, Utc};

use super::{NOBODY, STATE, act};
use crate::model::TransferStatus;
use crate::server::store::transfers as store;
use patchbay_access::server::WriteTx;
use patchbay_providers::telnyx::{CallEvent, CallEventKind, HangupCause, state_of};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, CallTransferId};

/// Why nobody was reached when it is the caller who left: then nobody else is rung.
pub(super) const CALLER_LEFT: &str = "The caller hung up before anybody answered.";

/// The ring that an event of the carrier's is about, and its call. None: it is about no such leg.
pub(in crate::server) async fn of_leg(
    tx: &mut WriteTx,
    leg: &CallEvent,
) -> Result<Option<(CallTransferId, CallId)>, AppError> {
    let state = leg.client_state.as_deref().and_then(state_of);
    let id = state.as_deref().and_then(|text| text.strip_prefix(STATE)?.parse::<CallTransferId>().ok());
    store::of_leg(tx, id, leg.call_control_id.as_deref()).await
}

/// What the carrier tells of a person's leg: facts are only added, in whatever order they come.
pub(in crate::server) async fn heard(
    tx: &mut WriteTx,
    id: CallTransferId,
    leg: &CallEvent,
    at: DateTime<Utc>,
) -> Result<(), AppError> {
    let since = matches!(leg.kind, CallEventKind::Initiated { .. }).then_some(at);
    store::rings(tx, id, leg.call_control_id.as_deref(), since).await?;
    let is_news = match &leg.kind {
        CallEventKind::Answered | CallEventKind::Bridged => store::connect(tx, id, at).await?,
        CallEventKind::Hangup { cause, .. } => {
            let (status, why) = missed(cause);
            // An answer may be heard of later than the end.
            let has_talked = matches!(cause, HangupCause::NormalClearing | HangupCause::TimeLimit);
            store::end(tx, id, at, has_talked).await? || store::miss(tx, id, status, why, at).await?
        }
        _ => false,
    };
    if is_news { act(tx, id).await } else { Ok(()) }
}

/// Why somebody was not reached, from how their leg ended.
fn missed(cause: &HangupCause) -> (TransferStatus, &'static str) {
    match cause {
        HangupCause::UserBusy => (TransferStatus::NotAnswered, "The line was busy."),
        HangupCause::CallRejected => (TransferStatus::NotAnswered, "The call was declined."),
        HangupCause::OriginatorCancel => (TransferStatus::NotAnswered, CALLER_LEFT),
        HangupCause::NotFound => {
            (TransferStatus::Failed, "The carrier does not know this number. Correct it in the agent’s tool.")
        }
        _ => (TransferStatus::NotAnswered, NOBODY),
    }
}
