//! Calls of tools and their results, each with its other half: services refuse a conversation in which one is missing, and one that was
//! cut to its newest part, or whose run ended in the middle, has such places.

use super::ChatMessage;
use std::mem;

/// The same conversation, fit to be sent.
pub(crate) fn paired(messages: &[ChatMessage]) -> Vec<ChatMessage> {
    let mut out = Vec::with_capacity(messages.len());
    let (mut open, mut stray): (Vec<String>, Vec<ChatMessage>) = (Vec::new(), Vec::new());
    for message in messages {
        if let ChatMessage::Tool { call_id, text } = message {
            match open.iter().position(|id| id == call_id) {
                Some(place) => {
                    open.remove(place);
                    out.push(message.clone());
                }
                None => stray.push(ChatMessage::User(format!("Result of an earlier call: {text}"))),
            }
            continue;
        }
        close(&mut open, &mut stray, &mut out);
        if let ChatMessage::Assistant { tool_calls, .. } = message {
            open = tool_calls.iter().map(|call| call.id.clone()).collect();
        }
        out.push(message.clone());
    }
    close(&mut open, &mut stray, &mut out);
    out
}

fn close(open: &mut Vec<String>, stray: &mut Vec<ChatMessage>, out: &mut Vec<ChatMessage>) {
    let none = |call_id: String| ChatMessage::Tool {
        call_id,
        text: "There is no result: the call was not carried out.".into(),
    };
    out.extend(mem::take(open).into_iter().map(none));
    out.append(stray);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ToolCall;

    #[test]
    fn what_misses_its_other_half_gets_one() {
        let call = |id: &str| ToolCall { id: id.into(), name: "book".into(), arguments: "{}".into() };
        let asked = ChatMessage::Assistant { text: String::new(), tool_calls: vec![call("a"), call("b")] };
        let result = |id: &str, text: &str| ChatMessage::Tool { call_id: id.into(), text: text.into() };
        let said = |text: &str| ChatMessage::User(text.into());
        let whole = [asked.clone(), result("a", "x"), result("b", "y"), said("And?")];
        assert_eq!(paired(&whole), whole);
        let none = "There is no result: the call was not carried out.";
        assert_eq!(
            paired(&[result("z", "old"), asked.clone(), result("b", "y"), said("And?"), asked.clone()]),
            [
                said("Result of an earlier call: old"),
                asked.clone(),
                result("b", "y"),
                result("a", none),
                said("And?"),
                asked.clone(),
                result("a", none),
                result("b", none),
            ]
        );
    }
}
