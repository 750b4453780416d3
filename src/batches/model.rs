use serde::{Deserialize, Serialize};

use patchbay_calls::model::{CallResult, ContactOutcome};
pub use patchbay_dialling::model::BatchStatus;
use patchbay_shared::ids::{BatchId, CampaignId, ClientId};
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
    pub stopped: bool,
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
    /// `17:30`, from the pace of the last ten minutes; none without a pace.
    pub ends_about: Option<String>,
    pub lines: Vec<Line>,
    /// Minute and calls that ended in it, the last thirty minutes of the batch.
    pub pace: Vec<(String, f64)>,
    pub results: Vec<ResultRow>,
    /// Contacts outside their calling hours now.
    pub outside_hours: i64,
    /// Why nothing new is dialled although the batch goes on; without amounts for whoever may not see cost.
    pub waits: Option<String>,
    /// The viewer may raise the budget that it waits for.
    pub may_raise: bool,
    pub may_run: bool,
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
            errors.add("limit", "Write how many contacts at most, or leave it empty for all.");
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

/// One page of the list.
pub type BatchPage = Page<BatchRow>;
