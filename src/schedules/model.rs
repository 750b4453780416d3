mod form;

use serde::{Deserialize, Serialize};

pub use form::{ScheduleFields, ScheduleForm, TriggerForm};

use patchbay_shared::ids::{AgentScheduleId, AgentTriggerId, RunId};
use patchbay_shared::{Page, Stamp};
use patchbay_tools::model::AgentHead;

/// Schedules that an agency has at most.
pub const MOST_SCHEDULES: i64 = 50;
/// Triggers that an agency has at most.
pub const MOST_TRIGGERS: i64 = 50;
/// The least time between two runs of a schedule.
pub const LEAST_MINUTES: i64 = 5;
/// A time that passed longer ago than this, while no worker was there, is missed.
pub const LATE_MINUTES: i64 = 60;

patchbay_shared::words! {
    /// How a time of a schedule was dealt with.
    pub TimeResult: "text" {
        Started = "started", "Ran", Ok;
        Skipped = "skipped", "Not run", Warn;
        Missed = "missed", "Missed", Bad;
    }
    /// Whether a schedule or trigger is in use.
    pub Switched: "text" {
        On = "on", "On", Ok;
        Off = "off", "Off", Mute;
    }
}

impl Switched {
    pub fn of(enabled: bool) -> Self {
        if enabled { Switched::On } else { Switched::Off }
    }
}

/// What a list of schedules or triggers is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    /// `on` or `off`.
    pub state: Option<String>,
    /// `-name`: from Z to A.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// The last time of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastTime {
    pub at: Stamp,
    pub result: TimeResult,
    /// Why nothing ran.
    pub note: Option<String>,
    pub run: Option<RunId>,
}

/// One schedule, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleRow {
    pub id: AgentScheduleId,
    pub name: String,
    pub cron: String,
    /// The line in words.
    pub said: String,
    pub timezone: String,
    pub enabled: bool,
    /// In the viewer's zone.
    pub next: Option<Stamp>,
    pub last: Option<LastTime>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchedulesPage {
    pub agent: AgentHead,
    pub page: Page<ScheduleRow>,
    /// Why nothing runs at the moment, whatever is switched on.
    pub rest: Option<String>,
    pub may_edit: bool,
}

/// A schedule's page, or the form of a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchedulePage {
    pub agent: AgentHead,
    pub form: ScheduleForm,
    /// None: it is not saved yet.
    pub row: Option<ScheduleRow>,
    /// The next times of what the form says, in its zone.
    pub times: Vec<String>,
    /// What the form says is not what is saved.
    pub is_try: bool,
    pub rest: Option<String>,
    pub may_edit: bool,
    /// Names the run that is made by hand, so that a second press makes no second one.
    pub run_key: RunId,
}

/// One trigger, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerRow {
    pub id: AgentTriggerId,
    pub name: String,
    pub address: String,
    pub enabled: bool,
    /// Until then the secret before this one signs, too.
    pub old_until: Option<Stamp>,
    /// When it was called last, and the run of that.
    pub last: Option<(Stamp, RunId)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggersPage {
    pub agent: AgentHead,
    pub page: Page<TriggerRow>,
    pub rest: Option<String>,
    pub may_edit: bool,
}

/// A trigger's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerPage {
    pub agent: AgentHead,
    pub row: TriggerRow,
    pub rest: Option<String>,
    pub may_edit: bool,
}

/// A secret, this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSecret {
    pub agent: String,
    pub trigger: String,
    pub name: String,
    pub address: String,
    pub secret: String,
}
