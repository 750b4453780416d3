//! A call-back that went out at its time and that nobody answered: it is tried again soon, and then a person decides. The campaign's own
//! tries and its wait between calls, often hours, do not count: somebody who was promised a call at three expects it about three.

use chrono::{DateTime, TimeDelta, Utc};

use super::store::tries as store;
use super::when::Setting;
use patchbay_access::server::WriteTx;
use patchbay_shared::ids::{BatchId, CallBackId, CampaignContactId};
use patchbay_shared::{AppError, zone};

/// So often a call-back is tried in all.
const TRIES: i64 = 3;
/// From the end of a try to the next one.
pub(super) const MINUTES: i32 = 15;
/// Somebody who expects a call at three is not called in the evening instead.
pub const LATE: TimeDelta = TimeDelta::hours(2);
/// A try this close before the last moment would be given up before it goes out.
const SPARE: TimeDelta = TimeDelta::minutes(5);

/// What becomes of a call-back that nobody answered.
pub(super) enum Next {
    /// Tried again after `MINUTES`, and what people read until then.
    Again(CallBackId, String),
    Person,
}

/// Nobody answered the contact's call. None: it was no call-back's, and the campaign's rules hold.
pub(super) async fn next(
    tx: &mut WriteTx,
    batch: BatchId,
    member: CampaignContactId,
) -> Result<Option<Next>, AppError> {
    let Some(tried) = store::of_contact(tx.reading(), batch, member).await? else { return Ok(None) };
    let now = tx.reading().now().await?;
    let setting = Setting { zone: zone::zone(&tried.zone), window: &tried.window, ahead: tx.services().clock.ahead() };
    Ok(Some(if is_worth_a_try(&setting, tried.tries, tried.due_at, now) {
        let text =
            format!("Nobody answered try {} of {TRIES}. The next one follows {MINUTES} minutes later.", tried.tries);
        Next::Again(tried.id, text)
    } else {
        Next::Person
    }))
}

/// Not too often, not too late, and not outside the calling hours.
fn is_worth_a_try(setting: &Setting<'_>, tries: i64, due: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let at = now + TimeDelta::minutes(MINUTES.into());
    tries < TRIES && at + SPARE <= due + LATE && setting.check(at, now).is_ok()
}

/// Writes down what people read of a call-back that is tried again.
pub(super) async fn say(tx: &mut WriteTx, id: CallBackId, text: &str) -> Result<(), AppError> {
    store::say(tx, id, text).await
}

#[cfg(test)]
mod tests;
