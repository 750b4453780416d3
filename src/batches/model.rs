use serde::{Deserialize, Serialize};

use patchbay_calls::model::{CallResult, ContactOutcome};
pub use patchbay_dialling::model::{BatchStatus, Obstacle};
use patchbay_shared::ids::{BatchId, CampaignId, ClientId};
use patchbay_shared::money::counted;
use patchbay_shared::{AppError, FieldErrors, Money, Page, Stamp};

patchbay_shared::words! {
    pub BatchMode: "batch_mode" {
        Immediate = "immediate", "Now", Info;
        Scheduled = "scheduled", "At a set time", Info;
    }
}

/// Filters of the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchQuery {
    pub status: Option<String>,
    pub campaign: Option<String>,
    pub client: Option<String>,
    pub cursor: Option<String>,
}

/// How far a batch has come. Contacts and not calls: each counts once, by what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub total: i64,
    pub reached: i64,
    pub not_reached: i64,
    pub failed: i64,
    pub calling: i64,
    pub waiting: i64,
    /// Waiting ones that have been tried before.
    pub to_retry: i64,
}

impl Progress {
    pub fn done(self) -> i64 {
        self.reached + self.not_reached + self.failed
    }
}

/// One batch in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchRow {
    pub id: BatchId,
    pub name: String,
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub client: String,
    pub status: BatchStatus,
    pub progress: Progress,
    pub created: Stamp,
    pub scheduled_for: Option<Stamp>,
    pub note: Option<String>,
}

impl BatchRow {
    /// Where the batch's contacts are listed, narrowed by `more`.
    pub fn members(&self, more: &str) -> String {
        members(self.campaign_id, self.id, more)
    }
}

/// Where a batch's contacts are listed, narrowed by `more`: `&result=reached`.
pub(crate) fn members(campaign: CampaignId, batch: BatchId, more: &str) -> String {
    format!("/campaigns/{campaign}?tab=contacts&batch={batch}{more}")
}

/// One line of the line board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub call_id: String,
    pub contact: String,
    pub number: String,
    pub talking: bool,
    /// Seconds of talk, or of dialling, when the page was made.
    pub seconds: i64,
}

/// One finished call in the batch's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    pub call_id: String,
    pub ended: Option<Stamp>,
    pub contact: String,
    pub number: String,
    pub result: Option<CallResult>,
    pub outcome: Option<ContactOutcome>,
    pub goal_reached: Option<bool>,
    pub error: Option<String>,
    /// What comes next for this person.
    pub next: String,
    pub attempt: i32,
    pub length: Option<String>,
}

/// Everything on a batch's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchView {
    pub id: BatchId,
    pub name: String,
    pub status: BatchStatus,
    pub mode: BatchMode,
    /// Made by Patchbay for call-backs that are due.
    pub for_call_backs: bool,
    /// Contacts that another batch calls back since: no longer in the progress.
    pub left: i64,
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub client_id: ClientId,
    pub client: String,
    pub agent: Option<String>,
    pub window: String,
    pub concurrency: i32,
    pub created_by: Option<String>,
    pub started: Option<Stamp>,
    pub completed: Option<Stamp>,
    pub scheduled_for: Option<Stamp>,
    /// When a person stopped it, and who, if it was no program.
    pub stopped: Option<(Stamp, Option<String>)>,
    pub pause_reason: Option<String>,
    pub paused_by: Option<String>,
    pub error: Option<String>,
    pub progress: Progress,
    /// Answered calls, and those of them that reached the goal.
    pub answered: i64,
    pub goals: i64,
    /// Calls whose price is not in `spend`; none when the viewer may not see cost.
    pub unpriced: i64,
    /// None when the viewer may not see cost.
    pub spend: Option<Money>,
    /// `17:30`, from the pace of the last ten minutes, with the calls that will have to be repeated and within the calling hours;
    /// none without a pace.
    pub ends_about: Option<String>,
    pub lines: Vec<Line>,
    /// Minute and calls that ended in it, the last thirty minutes of the batch.
    pub pace: Vec<(String, f64)>,
    pub results: Vec<ResultRow>,
    /// For whom of those that wait the calling hours are closed now.
    pub hours: Hours,
    /// Why nothing new is dialled although the batch goes on; without amounts for whoever may not see cost.
    pub waits: Option<String>,
    /// The viewer may raise the budget that it waits for.
    pub may_raise: bool,
    pub may_run: bool,
}

/// Contacts whose calling hours open at the same moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// `Mon 09:00`, by the clock of `zone`.
    pub at: String,
    /// The zone of most of them, `Europe/Zurich`.
    pub zone: String,
    /// How many further zones they are in.
    pub other_zones: i64,
    pub contacts: i64,
}

/// For whom the calling hours are closed now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Soonest first; empty while they are open for everybody.
    pub closed: Vec<Opening>,
    /// All contacts that were looked at, up to 10,000.
    pub contacts: i64,
    /// There are more.
    pub more: bool,
}

impl Hours {
    /// How many openings a sentence names.
    const NAMED: usize = 3;

    /// Contacts whose hours are closed.
    pub fn outside(&self) -> i64 {
        self.closed.iter().map(|opening| opening.contacts).sum()
    }

    /// Nobody can be called now.
    pub fn all_closed(&self) -> bool {
        self.contacts > 0 && self.outside() == self.contacts
    }

    /// Before the start: `Opens Mon 09:00 for 7 of 7 contacts (Europe/Zurich).` None while the hours are open for everybody.
    pub fn text(&self) -> Option<String> {
        let of = counted(self.contacts, "contact", "contacts");
        let of = if self.more { format!("the first {of}") } else { of };
        let parts: Vec<String> = self
            .named()
            .map(|(opening, zone)| format!("{} for {} of {of} ({zone})", opening.at, count(opening.contacts)))
            .collect();
        (!parts.is_empty()).then(|| format!("Opens {}{}.", parts.join(", "), self.rest()))
    }

    /// While it waits: `Waiting: calling hours open Mon 09:00 (Europe/Zurich) for 7 contacts.` Without the first word while others are
    /// called. None while the hours are open for everybody.
    pub fn waiting_text(&self) -> Option<String> {
        let parts: Vec<String> = self
            .named()
            .map(|(opening, zone)| {
                format!("{} ({zone}) for {}", opening.at, counted(opening.contacts, "contact", "contacts"))
            })
            .collect();
        let begin = if self.all_closed() { "Waiting: calling" } else { "Calling" };
        (!parts.is_empty()).then(|| format!("{begin} hours open {}{}.", parts.join(", "), self.rest()))
    }

    fn named(&self) -> impl Iterator<Item = (&Opening, String)> {
        self.closed.iter().take(Self::NAMED).map(|opening| {
            let more = match opening.other_zones {
                0 => String::new(),
                more => format!(" and {}", counted(more, "more zone", "more zones")),
            };
            (opening, format!("{}{more}", opening.zone))
        })
    }

    fn rest(&self) -> String {
        match self.closed.iter().skip(Self::NAMED).map(|opening| opening.contacts).sum::<i64>() {
            0 => String::new(),
            rest => format!(", later for {}", counted(rest, "contact", "contacts")),
        }
    }
}

/// Contacts that may still be called equally often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Left {
    pub contacts: i64,
    /// Calls to each at most, the one on the line included.
    pub calls: i32,
}

/// How many calls are still to be made if `again` of all calls (0 to 1) reach nobody and are repeated, and how many waits between
/// calls the last of these contacts has before it.
pub fn calls_left(left: &[Left], again: f64) -> (f64, i32) {
    let (mut calls, mut waits) = (0.0, 0);
    for group in left {
        let mut still = group.contacts as f64;
        for wait in 0..group.calls.max(1) {
            if wait > 0 && still < 0.5 {
                break;
            }
            calls += still;
            waits = waits.max(wait);
            still *= again;
        }
    }
    (calls, waits)
}

/// What stands between a campaign and a batch, for the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    pub campaign_id: CampaignId,
    pub campaign: String,
    pub client: String,
    /// Each check: whether it holds, and a sentence.
    pub checks: Vec<(bool, String)>,
    /// What should be looked at, and does not stand in the way.
    pub warnings: Vec<String>,
    pub to_dial: i64,
    pub suppressed: i64,
    pub later: i64,
    /// For whom of those to dial the calling hours are closed now.
    pub hours: Hours,
    /// From the average length of the campaign's last calls; none without any.
    pub estimate: Option<Money>,
    pub timezone: String,
}

/// What the form for a new batch sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchForm {
    pub campaign: String,
    pub name: String,
    pub mode: String,
    /// Local time in the viewer's zone, `2026-11-20T09:00`; only for scheduled ones.
    pub scheduled_for: String,
    pub concurrency: String,
    /// At most this many contacts; empty means all.
    pub limit: String,
}

/// The form, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchTerms {
    pub campaign: CampaignId,
    pub name: String,
    pub mode: BatchMode,
    pub scheduled_for: Option<chrono::NaiveDateTime>,
    pub concurrency: i32,
    pub limit: Option<i64>,
}

impl BatchForm {
    /// Errors: `Invalid` with a message per field.
    pub fn check(&self) -> Result<BatchTerms, AppError> {
        let mut errors = FieldErrors::default();
        let campaign = self.campaign.parse::<CampaignId>().ok();
        if campaign.is_none() {
            errors.add("campaign", "Choose the campaign whose contacts are called.");
        }
        if !(1..=120).contains(&self.name.trim().chars().count()) {
            errors.add("name", "Give the batch a name of up to 120 characters.");
        }
        let mode = self.mode.parse::<BatchMode>().unwrap_or(BatchMode::Immediate);
        let at = chrono::NaiveDateTime::parse_from_str(self.scheduled_for.trim(), "%Y-%m-%dT%H:%M").ok();
        // No database knows the years that this can read.
        let at = at.filter(|at| (1..=9999).contains(&chrono::Datelike::year(at)));
        if mode == BatchMode::Scheduled && at.is_none() {
            errors.add("scheduled_for", "Choose the day and time to start.");
        }
        let concurrency = self.concurrency.trim().parse::<i32>().ok().filter(|lines| (1..=200).contains(lines));
        if concurrency.is_none() {
            errors.add("concurrency", "Choose 1 to 200 lines.");
        }
        let limit = self.limit.trim();
        let most = limit.parse::<i64>().ok().filter(|most| *most >= 1);
        if !limit.is_empty() && most.is_none() {
            errors.add("limit", "Enter how many contacts to call at most, or leave it empty to call all.");
        }
        match (campaign, concurrency) {
            (Some(campaign), Some(concurrency)) if errors.0.is_empty() => Ok(BatchTerms {
                campaign,
                name: self.name.trim().to_owned(),
                mode,
                scheduled_for: at.filter(|_| mode == BatchMode::Scheduled),
                concurrency,
                limit: most,
            }),
            _ => Err(AppError::Invalid(errors)),
        }
    }
}

fn count(count: i64) -> String {
    patchbay_shared::money::count_text(count)
}

/// One page of the list.
pub type BatchPage = Page<BatchRow>;

#[cfg(test)]
mod tests {
    use super::{Left, calls_left};

    #[test]
    fn calls_that_reach_nobody_are_made_again() {
        let left = [Left { contacts: 100, calls: 3 }];
        assert_eq!(calls_left(&left, 0.0), (100.0, 0));
        assert_eq!(calls_left(&left, 0.5), (175.0, 2));
        // One contact that will hardly have to be called again.
        assert_eq!(calls_left(&[Left { contacts: 1, calls: 3 }], 0.2), (1.0, 0));
        // The number of tries was lowered after they had been called.
        assert_eq!(calls_left(&[Left { contacts: 4, calls: -1 }], 0.5), (4.0, 0));
    }
}
