//! A page of calls, read entry by entry: one that is no call must not lose the others.

use serde_json::Value;

use super::call;
use crate::voice::{CallsAsk, CallsPage, VoiceCall};
use crate::wire::Remarks;

pub(super) fn page(which: &CallsAsk, entries: &[Value], next: Option<String>, total: Option<u64>) -> CallsPage {
    let mut page =
        CallsPage { calls: Vec::with_capacity(entries.len()), reaches: None, unreadable: Vec::new(), next, total };
    for entry in entries {
        let mut remarks = Remarks::new();
        let Some(call) = call::call(entry, &mut remarks) else {
            page.unreadable.push("Ultravox listed a call without an id that can be read.".to_owned());
            continue;
        };
        if let Some(at) = call.began() {
            let (oldest, newest) = page.reaches.unwrap_or((at, at));
            page.reaches = Some((oldest.min(at), newest.max(at)));
        }
        if is_asked_for(which, &call) {
            page.calls.push(call);
        }
    }
    page
}

/// Older versions of the service know these filters by the day, or not at all.
fn is_asked_for(which: &CallsAsk, call: &VoiceCall) -> bool {
    let is_in_time = call.created.is_none_or(|at| (which.from..=which.to).contains(&at));
    let is_of_agent =
        which.agents.is_empty() || call.agent_id.as_ref().is_some_and(|agent| which.agents.contains(agent));
    is_in_time && is_of_agent
}
