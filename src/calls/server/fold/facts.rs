//! What news makes of a call's row, and what has to follow from it. Nothing is asked or written here.

use chrono::{DateTime, SubsecRound, Utc};
use rust_decimal::Decimal;

use super::{CallUpdate, Words};
use crate::model::{AnalysisStatus, ContactOutcome, TranscriptStatus};
use patchbay_providers::voice::{Bill, EndReason, SipTermination, VoiceCall};
use patchbay_shared::ids::{AgentId, BatchId, CallId, CampaignContactId, ClientId};
use patchbay_webhooks::model::EventType;

/// The event with which the service says that a call has begun.
const STARTED: &str = "call.started";
/// The service's word for a bill that was taken back.
const REFUNDED: &str = "BILLING_STATUS_REFUNDED";

/// A call as far as news changes it, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct CallState {
    pub id: CallId,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub batch_id: Option<BatchId>,
    pub campaign_contact_id: Option<CampaignContactId>,
    pub attempt_no: i32,
    pub provider_call_id: Option<String>,
    /// We asked the provider to place it and never heard an answer.
    pub is_unknown: bool,
    /// The carrier has detected that a machine answered.
    pub is_machine: bool,
    pub error: Option<String>,
    pub started_at: DateTime<Utc>,
    pub joined_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub end_reason: Option<String>,
    pub summary: Option<String>,
    pub billed_seconds: Option<i32>,
    pub voice_cost: Decimal,
    pub carrier_cost: Decimal,
    pub billing_status: Option<String>,
    pub billed_at: Option<DateTime<Utc>>,
    pub duration: Option<i32>,
    pub outcome: Option<ContactOutcome>,
    pub transcript_status: Option<TranscriptStatus>,
    pub analysis_status: Option<AnalysisStatus>,
}

/// What whoever placed the call is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// False: it ended otherwise than was told before.
    pub is_end: bool,
    pub outcome: Option<ContactOutcome>,
    pub error: Option<String>,
}

/// What follows from news, beside the row itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    /// Some of the news was new.
    pub is_changed: bool,
    /// What the call costs more, and the moment that it counts under.
    pub costs: Vec<(DateTime<Utc>, Decimal)>,
    /// Its words are to be fetched.
    pub fetch_words: bool,
    /// In this order.
    pub told: Vec<Told>,
    /// What other systems are told, in this order.
    pub events: Vec<EventType>,
    /// It is to be asked after, so many minutes from now.
    pub follow: Option<i64>,
    /// The bill is settled: nobody needs to ask after it any more.
    pub is_settled: bool,
}

impl Effects {
    pub fn follow_in(&mut self, minutes: i64) {
        self.follow = Some(self.follow.map_or(minutes, |earlier| earlier.min(minutes)));
    }
}

impl CallState {
    /// Adds what the news says. Facts are only added, and a finished call never goes back.
    pub(super) fn learn(&mut self, news: &CallUpdate<'_>, effects: &mut Effects) {
        let call = news.call;
        let (had_ended, had_joined) = (self.ended_at.is_some(), self.joined_at.is_some());
        effects.is_changed = true;
        self.merge(news, effects);
        let talked = self.joined_at.is_some();
        if news.event_type == STARTED && self.ended_at.is_none() {
            effects.events.push(EventType::CallStarted);
        }
        if call.ended.is_some() && !had_ended {
            self.end(call, talked, news.words, effects);
        } else if call.ended.is_some() {
            self.refine(call, talked, effects);
        }
        if had_ended && talked && !had_joined {
            self.answered_after_all(call, news.words, effects);
        }
        effects.is_settled |= call.ended.is_some() && call.charged_seconds().is_some();
    }

    fn merge(&mut self, news: &CallUpdate<'_>, effects: &mut Effects) {
        let call = news.call;
        let (started_then, cost_then) = (self.started_at, self.cost());
        self.provider_call_id.get_or_insert_with(|| call.id.clone());
        if self.is_unknown {
            self.is_unknown = false;
            self.error = None;
        }
        if let Some(created) = call.created.map(stored) {
            self.started_at = self.started_at.min(created);
        }
        self.joined_at = earlier(self.joined_at, call.joined.map(stored));
        self.ended_at = earlier(self.ended_at, call.ended.map(stored));
        if self.end_reason.is_none() {
            self.end_reason = call.end_reason.as_ref().map(|reason| reason.as_str().to_owned());
        }
        if self.summary.is_none() {
            self.summary = call.summary.clone().or_else(|| call.short_summary.clone());
        }
        self.take_bill(news);
        if let (Some(joined), Some(ended)) = (self.joined_at, self.ended_at) {
            self.duration = Some(whole_seconds(joined, ended));
        }
        if self.started_at == started_then {
            effects.costs.push((self.started_at, self.cost() - cost_then));
        } else {
            // An earlier start may lie in the month before.
            effects.costs.extend([(started_then, -cost_then), (self.started_at, self.cost())]);
        }
    }

    /// Of two bills the later one counts, up or down, in whatever order they come here; nothing is billed again after a refund.
    fn take_bill(&mut self, news: &CallUpdate<'_>) {
        // None: not priced yet, which is not the same as free.
        let Some(seconds) = news.call.charged_seconds() else { return };
        let seconds = seconds.clamp(0.0, 1e6).ceil() as i32;
        let told_at = stored(news.told_at);
        let was_refunded = self.billing_status.as_deref() == Some(REFUNDED);
        let known = (was_refunded, self.billed_at, self.billed_seconds.unwrap_or(-1));
        if known > (news.call.bill == Bill::Refunded, Some(told_at), seconds) {
            return;
        }
        self.voice_cost = (Decimal::from(seconds) * news.price_per_minute / Decimal::from(60)).round_dp(6);
        self.billed_seconds = Some(seconds);
        self.billing_status = Some(news.call.billing_status.clone());
        self.billed_at = Some(told_at);
    }

    /// The call is over: its contact is settled, and its words are fetched if there were any.
    fn end(&mut self, call: &VoiceCall, talked: bool, words: Words, effects: &mut Effects) {
        let (outcome, error) = outcome_of(call, talked, self.is_machine);
        self.outcome = outcome;
        if error.is_some() {
            self.error.clone_from(&error);
        }
        if !talked || words == Words::Never {
            (self.transcript_status, self.analysis_status) = (None, None);
        }
        effects.fetch_words |= talked && words == Words::Now;
        effects.told.push(Told { is_end: true, outcome, error });
        effects.events.push(if talked { EventType::CallCompleted } else { EventType::CallFailed });
        if call.charged_seconds().is_none() {
            // The bill comes by itself within seconds; if it does not, it is asked for.
            effects.follow_in(10);
        }
    }

    /// Later news may know better why nobody answered.
    fn refine(&mut self, call: &VoiceCall, talked: bool, effects: &mut Effects) {
        let (outcome, error) = outcome_of(call, talked, self.is_machine);
        let knows_no_better = talked || outcome == Some(ContactOutcome::NoAnswer);
        if knows_no_better || self.outcome != Some(ContactOutcome::NoAnswer) {
            return;
        }
        self.outcome = outcome;
        if error.is_some() {
            self.error.clone_from(&error);
        }
        effects.told.push(Told { is_end: false, outcome, error });
    }

    /// The event that ended the call did not say that somebody had joined, and this one does: nobody is called again for it.
    fn answered_after_all(&mut self, call: &VoiceCall, words: Words, effects: &mut Effects) {
        if self.transcript_status.is_some() {
            return;
        }
        let (outcome, error) = outcome_of(call, true, self.is_machine);
        self.outcome = outcome;
        self.error.clone_from(&error);
        if words != Words::Never {
            self.transcript_status = Some(TranscriptStatus::Pending);
            self.analysis_status = Some(AnalysisStatus::Pending);
        }
        effects.fetch_words |= words == Words::Now;
        effects.told.push(Told { is_end: false, outcome, error });
        effects.events.push(EventType::CallCompleted);
    }

    fn cost(&self) -> Decimal {
        self.voice_cost + self.carrier_cost
    }
}

/// A moment as the database keeps it: in millionths of a second.
pub(super) fn stored(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

fn earlier(known: Option<DateTime<Utc>>, told: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (known, told) {
        (Some(known), Some(told)) => Some(known.min(told)),
        (known, told) => known.or(told),
    }
}

/// Half a second counts as a whole one.
fn whole_seconds(from: DateTime<Utc>, until: DateTime<Utc>) -> i32 {
    let millionths = (until - from).num_microseconds().unwrap_or(i64::MAX).max(0);
    i32::try_from(millionths / 1_000_000 + i64::from(millionths % 1_000_000 >= 500_000)).unwrap_or(i32::MAX)
}

/// How it went for the person who was called, and what was wrong with the call if anything was.
fn outcome_of(call: &VoiceCall, talked: bool, is_machine: bool) -> (Option<ContactOutcome>, Option<String>) {
    if talked {
        let error = match call.end_reason {
            Some(EndReason::ConnectionError) => Some("The connection was lost during the call.".to_owned()),
            Some(EndReason::SystemError) => Some("The voice provider had trouble during the call.".to_owned()),
            _ => None,
        };
        // As `outcomes::settle` has it while nothing is known of what was said.
        let outcome = if is_machine { ContactOutcome::Voicemail } else { ContactOutcome::Answered };
        return (Some(outcome), error);
    }
    match &call.sip_termination {
        Some(SipTermination::Busy) => (Some(ContactOutcome::Busy), None),
        Some(SipTermination::Rejected) => (Some(ContactOutcome::Declined), None),
        Some(SipTermination::InvalidNumber) => {
            (None, Some("The carrier does not know this number. Check it with the client.".to_owned()))
        }
        _ => match call.end_reason {
            Some(EndReason::SystemError) => {
                (None, Some("The voice provider could not place the call. It is safe to try again.".to_owned()))
            }
            Some(EndReason::ConnectionError) => {
                (None, Some("The carrier could not connect the call. It is safe to try again.".to_owned()))
            }
            _ => (Some(ContactOutcome::NoAnswer), None),
        },
    }
}

#[cfg(test)]
mod tests;
