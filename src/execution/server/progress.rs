//! How far a model's worker is: kept after every step, so that another worker goes on from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plain::cut;
use patchbay_providers::chat::{ChatMessage, ToolCall};
use patchbay_shared::ids::{ApprovalId, ExecutionJobId};

/// The most of a tool's answer that a model reads.
const MOST_ANSWER: usize = 32 * 1024;
/// Times that the same tool is used with the same arguments.
const MOST_SAME: u32 = 3;

/// `execution_jobs.progress`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    pub messages: Vec<Message>,
    /// What the model asked for last, in its order.
    pub pending: Vec<Pending>,
    /// Answers of the model.
    pub answers: u32,
    /// How often each use was asked for.
    pub uses: BTreeMap<String, u32>,
    /// A rule about money asked whether to go on.
    pub asked_for_cost: Option<ApprovalId>,
    /// A person said so: the rule does not ask again.
    pub may_cost: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(super) enum Message {
    System { text: String },
    User { text: String },
    Assistant { text: String, calls: Vec<Call> },
    Tool { id: String, text: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    pub id: String,
    pub name: String,
    /// As the model wrote them.
    pub arguments: String,
}

/// A use that the model asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub call: Call,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum State {
    New,
    /// A person is asked.
    Asked {
        approval: ApprovalId,
    },
    /// It was begun; whoever finds this does not know whether it was done.
    Begun,
    /// A script runs as a job of its own.
    Runs {
        job: ExecutionJobId,
    },
    Done {
        text: String,
    },
}

impl Progress {
    pub(super) fn request(&self) -> Vec<ChatMessage> {
        self.messages.iter().map(Message::told).collect()
    }

    /// Counts a use. False: it was asked for too often.
    pub(super) fn may_use(&mut self, call: &Call) -> bool {
        let key = format!("{} {}", call.name, call.arguments.trim());
        // What is compared need not be as long as what was written.
        let times = self.uses.entry(cut(&key, 500).to_owned()).or_default();
        *times += 1;
        *times <= MOST_SAME
    }

    /// Once all that was asked for is done, the model hears of it. False: something is not.
    pub(super) fn tell_results(&mut self) -> bool {
        if self.pending.iter().any(|one| !matches!(one.state, State::Done { .. })) {
            return false;
        }
        for one in std::mem::take(&mut self.pending) {
            if let State::Done { text } = one.state {
                let text = cut(&text, MOST_ANSWER).replace('\0', "\u{fffd}");
                self.messages.push(Message::Tool { id: one.call.id, text });
            }
        }
        true
    }

    pub(super) fn hear(&mut self, text: &str, calls: &[ToolCall]) {
        let plain = |text: &str| text.replace('\0', "\u{fffd}");
        let calls: Vec<Call> = calls
            .iter()
            .map(|call| Call { id: plain(&call.id), name: plain(&call.name), arguments: plain(&call.arguments) })
            .collect();
        self.pending = calls.iter().map(|call| Pending { call: call.clone(), state: State::New }).collect();
        self.messages.push(Message::Assistant { text: plain(text), calls });
        self.answers += 1;
    }
}

impl Message {
    fn told(&self) -> ChatMessage {
        match self {
            Message::System { text } => ChatMessage::System(text.clone()),
            Message::User { text } => ChatMessage::User(text.clone()),
            Message::Assistant { text, calls } => ChatMessage::Assistant {
                text: text.clone(),
                tool_calls: calls
                    .iter()
                    .map(|call| ToolCall {
                        id: call.id.clone(),
                        name: call.name.clone(),
                        arguments: call.arguments.clone(),
                    })
                    .collect(),
            },
            Message::Tool { id, text } => ChatMessage::Tool { call_id: id.clone(), text: text.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_as_it_was_kept() {
        let mut progress = Progress::default();
        progress.messages.push(Message::User { text: "Do it".to_owned() });
        let call = ToolCall { id: "1".to_owned(), name: "refund".to_owned(), arguments: "{\"a\":1}".to_owned() };
        progress.hear("I look", &[call]);
        assert!(!progress.tell_results(), "the use is not done");
        let kept = serde_json::to_value(&progress).expect("a document");
        let mut read: Progress = serde_json::from_value(kept).expect("the same");
        read.pending[0].state = State::Done { text: "done\0".to_owned() };
        assert!(read.tell_results() && read.pending.is_empty());
        assert_eq!(read.request().len(), 3);
        assert_eq!(read.messages[2], Message::Tool { id: "1".to_owned(), text: "done\u{fffd}".to_owned() });
    }

    #[test]
    fn the_same_use_is_let_through_three_times() {
        let mut progress = Progress::default();
        let call = Call { id: String::new(), name: "look".to_owned(), arguments: "{}".to_owned() };
        assert_eq!([0; 4].map(|_| progress.may_use(&call)), [true, true, true, false]);
        assert!(progress.may_use(&Call { arguments: "{\"page\":2}".to_owned(), ..call }));
    }
}
