//! Call-backs as pages show them. Pure.

use serde::{Deserialize, Serialize};

pub use patchbay_calls::model::CallBackStatus;
use patchbay_shared::ids::{CallBackId, CallId, CampaignContactId, CampaignId, ContactId};
use patchbay_shared::{Page, Stamp};

/// What the list is asked for, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallBackQuery {
    pub status: Option<String>,
    pub client: Option<String>,
    pub campaign: Option<String>,
    pub contact: Option<String>,
    /// `due`: soonest first, of those that have a time. Else the newest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One call-back in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallBackRow {
    pub id: CallBackId,
    /// Name, else number.
    pub contact: String,
    pub number: String,
    pub contact_id: Option<ContactId>,
    pub client: String,
    pub campaign_id: Option<CampaignId>,
    pub campaign: Option<String>,
    pub status: CallBackStatus,
    /// By the viewer's clock; none while nobody knows when.
    pub due: Option<Stamp>,
    /// The same by the clock of the person who is called: `Mon 30 Nov, 15:00 (Europe/Zurich)`.
    pub due_there: Option<String>,
    pub words: Option<String>,
    /// Why it needs a person, was called off, or is tried again.
    pub why: Option<String>,
    pub call_id: Option<CallId>,
    pub created: Stamp,
}

pub type CallBackPage = Page<CallBackRow>;

/// One call-back, and what its form needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallBack {
    pub row: CallBackRow,
    pub set_by: Option<String>,
    pub batch: Option<(patchbay_shared::ids::BatchId, String)>,
    /// Nobody answered, and it is tried again then.
    pub next_try: Option<Stamp>,
    /// `Mon–Fri, 09:00–19:00`; none without a campaign.
    pub hours: Option<String>,
    pub zone: String,
    /// Its time as the form has it: local in the person's zone, `2026-11-30T15:00`; empty without one.
    pub local: String,
    /// The viewer may set its time and call it off, and it can still be done.
    pub may_change: bool,
}

/// For whom a new call-back is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallBackSubject {
    pub member: CampaignContactId,
    pub contact: String,
    pub number: String,
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub hours: String,
    pub zone: String,
    pub call: Option<CallId>,
    /// There is one already: it is changed on its own page.
    pub open: Option<CallBackId>,
}

/// A person may still set its time, or call it off.
pub fn is_open(status: CallBackStatus) -> bool {
    matches!(status, CallBackStatus::Scheduled | CallBackStatus::NeedsPerson)
}
