//! How an answered call went, from all that is known of it: what the carrier detected, which tools the agent used, who spoke, how it
//! ended, and what a model read in it. The same facts give the same outcome, in whatever order they came.

use serde_json::Value;

use super::counted;
use super::ended::{AskedBack, CallEnded, Corrected};
use super::enrich::notify;
use super::store::outcomes::{self as store, Turn};
use crate::model::analysis::HeardOutcome;
use crate::model::{CallBackStatus, ContactOutcome};
use patchbay_access::Field;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// So many answers to what the agent said, and it was a conversation: no machine holds one.
const CONVERSATION: usize = 3;

/// Tools that agents use when a machine has answered: the one that leaves a message, and the one that agents get with their setting for
/// mailboxes.
const AT_MAILBOXES: [&str; 2] = ["leavevoicemail", "patchbayatvoicemail"];

/// What is known beside the words.
#[derive(Debug, Clone, Default)]
struct Facts<'a> {
    /// The carrier's detection: `human` or `machine`.
    answered_by: Option<&'a str>,
    end_reason: Option<&'a str>,
    /// The agent used a tool for mailboxes.
    left_message: bool,
    agent_spoke: bool,
    other_spoke: bool,
    /// How often the other side spoke after the agent had.
    answers: usize,
}

impl<'a> Facts<'a> {
    fn of(turns: &[Turn], answered_by: Option<&'a str>, end_reason: Option<&'a str>) -> Self {
        let mut facts = Facts { answered_by, end_reason, ..Self::default() };
        let mut agent_was_last = false;
        for turn in turns {
            match turn.role.as_str() {
                "agent" => {
                    facts.agent_spoke = true;
                    agent_was_last = true;
                }
                "user" => {
                    facts.other_spoke = true;
                    facts.answers += usize::from(std::mem::take(&mut agent_was_last));
                }
                "tool_call" => {
                    facts.left_message |= !turn.failed && AT_MAILBOXES.contains(&tool(turn).as_str());
                }
                _ => {}
            }
        }
        facts
    }

    /// A machine answered. `heard`: a model read it so.
    fn is_machine(&self, heard: bool) -> bool {
        let is_conversation = self.answers >= CONVERSATION;
        // The agent spoke to nobody until it gave up. Somebody who hangs up without a word is not a machine.
        let end = self.end_reason.unwrap_or_default();
        let into_silence = self.agent_spoke && !self.other_spoke && matches!(end, "agent_hangup" | "timeout");
        self.left_message
            || (self.answered_by == Some("machine") && !is_conversation)
            || (into_silence && self.answered_by != Some("human"))
            || (heard && !is_conversation && self.answered_by != Some("human"))
    }
}

/// `LeaveVoicemail`, `leave_voicemail` and `leaveVoicemail` are the same tool.
fn tool(turn: &Turn) -> String {
    let name = turn.tool_name.as_deref().unwrap_or_default();
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Writes down the outcome that follows from what is stored now. Nothing happens while the call goes on, and when nobody answered it.
/// Safe to repeat.
pub async fn settle(tx: &mut WriteTx, id: CallId) -> Result<(), AppError> {
    let Some(known) = store::known(tx, id).await? else { return Ok(()) };
    let turns = store::turns(tx.reading(), id).await?;
    let facts = Facts::of(&turns, known.answered_by.as_deref(), known.end_reason.as_deref());
    let heard = known.heard.as_deref().and_then(|word| serde_json::from_value(Value::from(word)).ok());
    let outcome = match heard {
        heard if facts.is_machine(heard == Some(HeardOutcome::Voicemail)) => ContactOutcome::Voicemail,
        _ if known.is_called_back => ContactOutcome::CallbackScheduled,
        Some(HeardOutcome::Declined) => ContactOutcome::Declined,
        _ => ContactOutcome::Answered,
    };
    if known.outcome != Some(outcome) {
        store::set(tx, id, outcome).await?;
        counted::touch(tx, id).await?;
        notify(tx, id, known.client_id);
    }
    if let Some(contact) = known.campaign_contact_id {
        let corrected = tx.services().hooks.get::<CallEnded>()?.corrected;
        corrected(tx, Corrected { contact, call: id, outcome }).await?;
    }
    Ok(())
}

/// Why a call-back needs a person, as far as the reader may know: the reason can name accounts and budgets of the agency.
pub fn shown_why(scope: &Scope, status: CallBackStatus, why: Option<String>) -> Option<String> {
    match status {
        CallBackStatus::NeedsPerson if !scope.sees(Field::BatchTrouble) => {
            Some("The agency looks after it.".to_owned())
        }
        _ => why,
    }
}

/// The carrier says who answered. Words that say neither are passed over.
pub(super) async fn detected(tx: &mut WriteTx, id: CallId, result: &str) -> Result<(), AppError> {
    let who = match result {
        "machine" | "fax_detected" | "beep_detected" => "machine",
        word if word.starts_with("human") => "human",
        _ => return Ok(()),
    };
    store::set_answered_by(tx, id, who).await?;
    settle(tx, id).await
}

/// The transcript is here: what the agent did in the call counts, before a model has read it and if none ever does.
pub(super) async fn by_transcript(tx: &mut WriteTx, id: CallId) -> Result<(), AppError> {
    let turns = store::turns(tx.reading(), id).await?;
    if let Some(words) = turns.iter().rev().find_map(noted_call_back) {
        ask_back(tx, AskedBack { call: id, words: Some(&words), at: None }).await?;
    }
    settle(tx, id).await
}

/// Somebody on the call wants to be called again: whoever dials decides whether that can be.
pub(super) async fn ask_back(tx: &mut WriteTx, asked: AskedBack<'_>) -> Result<(), AppError> {
    let hook = tx.services().hooks.get::<CallEnded>()?.asked_back;
    hook(tx, asked).await
}

/// Fields in which tools that note a call-back have its time, in the order in which they are read.
const TIMES: [&str; 9] = ["callback_at", "callback_time", "datetime", "date_time", "when", "date", "day", "at", "time"];

/// When a tool of the agent's that notes call-backs was used: the time that it was given, in the agent's words.
fn noted_call_back(turn: &Turn) -> Option<String> {
    let name = tool(turn);
    if turn.role != "tool_call" || turn.failed || !(name.contains("callback") || name.contains("callmeback")) {
        return None;
    }
    let asked: Value = serde_json::from_str(&turn.arguments).ok()?;
    let words: Vec<&str> = TIMES.iter().filter_map(|field| asked.get(*field)?.as_str()).collect();
    let words = words.join(" ").trim().to_owned();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests;
