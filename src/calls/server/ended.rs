//! What is told of a call that was placed for a contact, to whoever placed it. Dialling gives the functions to boot, and they run in
//! the transaction that writes the call.

use crate::model::ContactOutcome;
use patchbay_access::server::WriteTx;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{BatchId, CallId, CampaignContactId};

/// An ended call of a contact.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    pub contact: CampaignContactId,
    /// Which attempt the call was.
    pub attempt: i32,
    pub call: CallId,
    /// None: it came to nothing that says something about the contact; then `error` says what.
    pub outcome: Option<ContactOutcome>,
    pub error: Option<&'a str>,
    /// False: it was told before that the call ended, and later news knows better how.
    pub is_end: bool,
}

/// What the words of a call, and facts beside them, showed later.
#[derive(Debug, Clone, Copy)]
pub struct Corrected {
    pub contact: CampaignContactId,
    pub call: CallId,
    pub outcome: ContactOutcome,
}

/// Somebody on an answered call wants to be called again.
#[derive(Debug, Clone, Copy)]
pub struct AskedBack<'a> {
    pub call: CallId,
    /// The time as it was said. None: nobody said one, or the words that were read were not said.
    pub words: Option<&'a str>,
    /// The moment that was made of the words: ISO 8601, or whatever else stands there.
    pub at: Option<&'a str>,
}

/// Told when calls end or later events know better why nobody answered, when a call's words show another outcome, and when somebody on
/// it wants to be called again.
pub struct CallEnded {
    /// All calls of a batch that a transaction tells of, in the order in which they are to be told.
    pub ended: for<'a> fn(&'a mut WriteTx, BatchId, &'a [Ended<'a>]) -> HookFuture<'a>,
    pub corrected: for<'a> fn(&'a mut WriteTx, Corrected) -> HookFuture<'a>,
    pub asked_back: for<'a> fn(&'a mut WriteTx, AskedBack<'a>) -> HookFuture<'a>,
}
