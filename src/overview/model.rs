use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use patchbay_shared::Money;
use patchbay_usage::model::Shown;

/// Everything on the dashboard, for one viewer. What the viewer may not see is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// `Friday, 20 November`: the date of the days that are counted, in the clients' zones.
    pub title: String,
    /// The viewer's zone, which `updated` is in.
    pub zone: String,
    /// `16:42:08`.
    pub updated: String,
    pub scope_name: String,
    /// The days that were asked for. All of them, today too, are days of each client's zone.
    pub shown: Shown,
    /// What they came to; none: the page shows today.
    pub of_days: Option<DaysShown>,
    /// The client that the page is narrowed to.
    pub client: Option<String>,
    pub today: Figures,
    /// The day before, up to this time of day.
    pub yesterday: Figures,
    pub hours: Vec<Hour>,
    pub live: Vec<LiveCall>,
    pub live_total: i64,
    pub batches: Vec<RunningBatch>,
    /// For a client's admin what waits for their approval alone, and none while nothing does; none for its viewers.
    pub needs: Option<Vec<Need>>,
    /// Where the needs are that `needs` has no room for; none: it holds all.
    pub more_needs: Vec<NeedList>,
    /// None for client roles.
    pub clients: Option<Vec<ClientFigures>>,
    /// Steps that are done, while the agency is new; empty once the first call has been made.
    pub start: Vec<StartStep>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub calls: i64,
    pub ended: i64,
    pub answered: i64,
    pub failed: i64,
    pub goals: i64,
    /// Calls whose price is not in `spend`.
    pub unpriced: i64,
    /// Answers of models whose price is not in `spend` either.
    pub unpriced_answers: i64,
    /// Of the answered calls.
    pub median_seconds: Option<i64>,
    /// Seconds of talk.
    pub seconds: i64,
    /// None when the viewer may not see cost.
    pub spend: Option<Money>,
}

/// What some days came to, beside the days before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DaysShown {
    pub figures: Figures,
    pub before: Figures,
    /// Oldest first, none left out.
    pub days: Vec<DayCalls>,
}

/// One day's ended calls by result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayCalls {
    #[serde(with = "patchbay_shared::day")]
    pub day: NaiveDate,
    /// `20 Nov`.
    pub label: String,
    pub answered: i64,
    pub not_reached: i64,
    pub failed: i64,
}

impl Figures {
    /// Ended calls that were neither answered nor failed.
    pub fn not_reached(&self) -> i64 {
        self.ended - self.answered - self.failed
    }

    /// Answered calls per ended call, in percent.
    pub fn answer_rate(&self) -> Option<f64> {
        (self.ended > 0).then(|| self.answered as f64 * 100.0 / self.ended as f64)
    }
}

/// One hour of the day and its calls by result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    pub label: String,
    pub answered: i64,
    pub not_reached: i64,
    pub failed: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveCall {
    pub id: String,
    pub contact: String,
    pub agent: String,
    pub client: String,
    /// Whole seconds since the answer, else since dialling, when the page was made.
    pub seconds: i64,
    pub talking: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningBatch {
    pub id: String,
    pub name: String,
    pub client: String,
    pub status: patchbay_dialling::model::BatchStatus,
    pub campaign: String,
    /// Contacts, not calls.
    pub reached: i64,
    pub not_reached: i64,
    pub failed: i64,
    pub total: i64,
    pub note: String,
}

/// Something that a person must look at, with the one action that helps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    pub icon: String,
    /// bad, warn or info.
    pub tone: String,
    pub title: String,
    pub note: String,
    pub action: String,
    pub href: String,
}

/// The list of all things of one kind, for when there are too many to name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeedList {
    pub text: String,
    pub href: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientFigures {
    pub id: String,
    pub name: String,
    pub figures: Figures,
}

/// One step of getting started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartStep {
    pub text: String,
    pub href: String,
    pub done: bool,
}

/// Counts in the navigation sidebar: only where work waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidebarCounts {
    pub live_calls: i64,
    pub running_batches: i64,
    /// That wait for a decision, for those who may read them.
    pub approvals: i64,
    /// There ever was one.
    pub has_approvals: bool,
}
