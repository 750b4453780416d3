//! Approvals as people see them: the list, one of them, and what is sent when one is decided.

use serde::{Deserialize, Serialize};

use super::{Decision, LONGEST_PROMPT};
use patchbay_shared::ids::{AgentId, ApprovalId, ClientId, ExecutionJobId, SupervisorRunId};
use patchbay_shared::{AppError, Money, Page, Stamp};

/// Characters of a reason or note.
pub const LONGEST_NOTE: usize = 1000;

patchbay_shared::words! {
    /// Which approvals a list shows.
    pub ApprovalState: "text" {
        Open = "open", "Open", Warn;
        Decided = "decided", "Decided", Mute;
    }
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApprovalQuery {
    pub q: Option<String>,
    /// `open` (default) or `decided`.
    pub state: Option<String>,
    /// Of those that are decided: how.
    pub decision: Option<String>,
    pub client: Option<String>,
    /// Days on which it was decided, or of those that are open asked for.
    pub from: Option<String>,
    pub to: Option<String>,
    /// `time`: those that end first, or were decided first, come first; `-time` the other way.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

impl ApprovalQuery {
    pub fn state(&self) -> ApprovalState {
        match self.state.as_deref() {
            Some("decided") => ApprovalState::Decided,
            _ => ApprovalState::Open,
        }
    }

    /// Those that end soonest come first, decided ones from the newest on, unless the address says otherwise.
    pub fn is_ascending(&self) -> bool {
        match self.sort.as_deref() {
            Some("time") => true,
            Some("-time") => false,
            _ => self.state() == ApprovalState::Open,
        }
    }
}

/// An approval in a list, on the page of its job, and in the control room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRow {
    pub id: ApprovalId,
    pub title: String,
    pub rule: String,
    /// Who wants to do it. None for a client's people.
    pub asked_by: Option<String>,
    pub team: Option<String>,
    /// None for a client's people.
    pub client: Option<String>,
    pub for_client: bool,
    pub requested: Stamp,
    /// `9 minutes ago`.
    pub ago: String,
    pub expires: Stamp,
    /// `20:14`; none once it is over.
    pub left: Option<String>,
    /// Who has it open, and since when.
    pub opened: Option<Opened>,
    pub decided: Option<Decided>,
    /// What is known of it, in rows of name and value.
    pub details: Vec<(String, String)>,
    /// The job's cost so far. None: nobody told, or it is not theirs to know.
    pub cost: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub by: String,
    pub initials: String,
    pub at: Stamp,
    /// By whoever looks.
    pub is_own: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub decision: Decision,
    /// None: time did, or the run that wanted it was stopped.
    pub by: Option<String>,
    pub at: Stamp,
    pub note: String,
}

impl Decided {
    /// `Approved by Mara Velez`, `Nobody answered in time`.
    pub fn said(&self) -> String {
        match (self.decision, &self.by) {
            (Decision::Expired, _) => "Nobody answered in time".to_owned(),
            (Decision::Withdrawn, Some(by)) => format!("Not needed any more: {by} stopped the work"),
            (Decision::Withdrawn, None) => "Not needed any more: the work was stopped".to_owned(),
            (decision, Some(by)) => format!("{} by {by}", decision.label()),
            (decision, None) => decision.label().to_owned(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApprovalList {
    pub page: Page<ApprovalRow>,
    pub may_decide: bool,
}

/// One approval. For a client's people it is all that they see of the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalPage {
    pub row: ApprovalRow,
    /// The tool that is to be used. None: it is the job's start.
    pub tool: Option<String>,
    /// What is to be done, as it was asked for.
    pub content: String,
    /// What was approved, when it was edited.
    pub edited: Option<String>,
    pub job: Option<(ExecutionJobId, String)>,
    pub run: Option<SupervisorRunId>,
    pub agent: Option<(AgentId, String)>,
    pub client: Option<(ClientId, String)>,
    pub may_decide: bool,
}

/// What a person decides. `back`: the page to return to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionForm {
    pub id: String,
    /// `approved`, `edited` or `rejected`.
    pub decision: String,
    /// Of `edited`: what is to be done instead.
    pub content: Option<String>,
    /// Why. A rejection needs it.
    pub note: Option<String>,
    pub back: Option<String>,
}

impl DecisionForm {
    /// What is decided: how, what is approved in place of what was asked for, and why. `is_tool`: the content is a tool's arguments.
    /// Errors: `Invalid` at the field.
    pub fn read(&self, is_tool: bool) -> Result<(Decision, Option<String>, String), AppError> {
        let decision = match self.decision.as_str() {
            "approved" => Decision::Approved,
            "edited" => Decision::Edited,
            "rejected" => Decision::Rejected,
            _ => return Err(AppError::invalid("decision", "Approve it, edit and approve it, or reject it.")),
        };
        let note = self.note.as_deref().unwrap_or_default().trim().replace("\r\n", "\n");
        if note.chars().count() > LONGEST_NOTE {
            return Err(AppError::invalid("note", "Write at most 1,000 characters."));
        }
        if decision == Decision::Rejected && note.is_empty() {
            return Err(AppError::invalid("note", "Say why: whoever asked reads it and can do better."));
        }
        let content = match decision {
            Decision::Edited => Some(self.edited(is_tool)?),
            _ => None,
        };
        Ok((decision, content, note))
    }

    fn edited(&self, is_tool: bool) -> Result<String, AppError> {
        let content = self.content.as_deref().unwrap_or_default().trim().replace("\r\n", "\n");
        let wrong = |message: &str| Err(AppError::invalid("content", message));
        if content.is_empty() {
            return wrong("Write what is to be done. To have nothing done, reject it.");
        }
        if content.chars().count() > LONGEST_PROMPT {
            return wrong("Write at most 20,000 characters.");
        }
        let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&content).is_ok();
        if is_tool && !is_object {
            return wrong(
                "This is not JSON that can be read. Keep the braces, quotes and commas, and change the values alone.",
            );
        }
        Ok(content)
    }

    /// Where to go afterwards: a page of ours, or the approval's own.
    pub fn place(&self) -> String {
        place_back(self.back.as_deref(), &format!("/approvals/{}", self.id))
    }
}

/// The page to return to, if it is one of those from which this is done; else its own.
pub fn place_back(back: Option<&str>, own: &str) -> String {
    let known = ["/teams/", "/supervisor-runs/", "/jobs/", "/approvals", "/execution"];
    let is_plain = |back: &str| back.chars().all(|letter| letter.is_ascii_graphic() && letter != '\\');
    match back.filter(|back| is_plain(back) && known.iter().any(|start| back.starts_with(start))) {
        Some(back) => back.to_owned(),
        None => own.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_says_why_and_an_edit_is_what_a_tool_can_read() {
        let form = |decision: &str, content: &str, note: &str| DecisionForm {
            id: "a".into(),
            decision: decision.into(),
            content: Some(content.into()),
            note: Some(note.into()),
            back: None,
        };
        assert_eq!(form("approved", "{}", "").read(true), Ok((Decision::Approved, None, String::new())));
        assert_eq!(
            form("edited", "{\"a\": 1}", " ok ").read(true),
            Ok((Decision::Edited, Some("{\"a\": 1}".into()), "ok".into()))
        );
        for (decision, content, note, is_tool, field) in [
            ("rejected", "", " ", true, "note"),
            ("edited", "[1]", "", true, "content"),
            ("edited", " ", "", false, "content"),
            ("expired", "", "", false, "decision"),
        ] {
            let Err(AppError::Invalid(errors)) = form(decision, content, note).read(is_tool) else {
                panic!("{decision}")
            };
            assert!(errors.at(field).is_some(), "{decision} {content}: {errors:?}");
        }
        assert!(form("edited", "say hello", "").read(false).is_ok());
    }

    #[test]
    fn nobody_is_led_away() {
        for (back, place) in [
            ("/teams/1/playground?session=2", "/teams/1/playground?session=2"),
            ("/approvals", "/approvals"),
            ("/execution?pool=heavy&job=1", "/execution?pool=heavy&job=1"),
            ("//evil.example", "/approvals/7"),
            ("https://evil.example/jobs/", "/approvals/7"),
            ("/jobs/\\evil", "/approvals/7"),
            ("/jobs/1\r\nX: y", "/approvals/7"),
            ("", "/approvals/7"),
        ] {
            assert_eq!(place_back(Some(back), "/approvals/7"), place, "{back}");
        }
    }
}
