//! What an agent is told of earlier calls with the person, when a call with them is made.

use std::collections::HashMap;

use super::store::earlier::{self, Earlier};
use patchbay_access::server::ReadTx;
use patchbay_agents::model::Memory;
use patchbay_agents::server::EARLIER_CALLS;
use patchbay_prompts::model::estimated_tokens;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId};
use patchbay_shared::text::one_line;
use serde_json::{Value, json};

/// What is said where there was no call before.
const NONE: &str = "There was no earlier call.";

/// What is told on each of these calls of one client, which are written down already. Empty when the agent is told nothing.
pub async fn on_calls(
    tx: &mut ReadTx,
    client: ClientId,
    calls: &[CallId],
    memory: &Memory,
) -> Result<HashMap<CallId, String>, AppError> {
    if !memory.is_on() || calls.is_empty() {
        return Ok(HashMap::new());
    }
    let contacts = earlier::contacts_of(tx, calls).await?;
    let wanted: Vec<ContactId> = contacts.iter().map(|(_, contact)| *contact).collect();
    let told = with_contacts(tx, client, &wanted, memory).await?;
    Ok(contacts.into_iter().filter_map(|(call, contact)| Some((call, told.get(&contact)?.clone()))).collect())
}

/// What is told on a call with this contact; with nobody, what is told to somebody new.
pub async fn with(
    tx: &mut ReadTx,
    client: ClientId,
    contact: Option<ContactId>,
    memory: &Memory,
) -> Result<Option<String>, AppError> {
    if !memory.is_on() {
        return Ok(None);
    }
    let Some(contact) = contact else { return Ok(Some(NONE.to_owned())) };
    Ok(with_contacts(tx, client, &[contact], memory).await?.remove(&contact))
}

/// Puts it among the variables of a call. The agent's prompt asks for it by this name.
pub fn put(variables: &mut Value, told: Option<String>) {
    if let (Some(told), Some(variables)) = (told, variables.as_object_mut()) {
        variables.insert(EARLIER_CALLS.to_owned(), json!(told));
    }
}

async fn with_contacts(
    tx: &mut ReadTx,
    client: ClientId,
    contacts: &[ContactId],
    memory: &Memory,
) -> Result<HashMap<ContactId, String>, AppError> {
    let mut all: HashMap<ContactId, Vec<String>> = contacts.iter().map(|contact| (*contact, Vec::new())).collect();
    for call in earlier::of(tx, client, contacts, memory.days, memory.calls).await? {
        all.entry(call.contact).or_default().push(line(&call));
    }
    Ok(all.into_iter().map(|(contact, lines)| (contact, within(lines, memory.tokens as usize))).collect())
}

/// `- 2026-03-02, they called, 3 min, answered: wants an offer by Friday.`
fn line(call: &Earlier) -> String {
    let who = if call.is_inbound { "they called" } else { "we called" };
    let minutes =
        call.seconds.map(|seconds| format!(", {} min", (f64::from(seconds) / 60.0).ceil())).unwrap_or_default();
    let how = call.outcome.map(|outcome| format!(", {}", outcome.label().to_lowercase())).unwrap_or_default();
    let what = call.summary.as_deref().map(one_line).filter(|text| !text.is_empty());
    let what = what.map(|text| format!(": {text}")).unwrap_or_default();
    format!("- {}, {who}{minutes}{how}{what}", call.day)
}

/// The newest lines first, as many as the budget holds. Of a first one that is too long its beginning.
fn within(lines: Vec<String>, tokens: usize) -> String {
    let (mut kept, mut used) = (Vec::new(), 0);
    for line in lines {
        let size = estimated_tokens(&line) + 1;
        if used + size > tokens {
            if kept.is_empty() {
                let most = line.chars().count() * tokens / size;
                kept.push(format!("{}…", line.chars().take(most.saturating_sub(1)).collect::<String>()));
            }
            break;
        }
        used += size;
        kept.push(line);
    }
    if kept.is_empty() { NONE.to_owned() } else { kept.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_calls_are_told_until_the_budget_is_used() {
        let lines =
            |count: usize| (0..count).map(|n| format!("- call {n}: {}", "word ".repeat(20))).collect::<Vec<_>>();
        let told = within(lines(5), 80);
        assert!(told.contains("call 0") && told.contains("call 1") && !told.contains("call 4"), "{told}");
        assert!(estimated_tokens(&told) <= 80);
        let long = within(lines(1), 10);
        assert!(long.ends_with('…') && estimated_tokens(&long) <= 11, "{long}");
        assert_eq!(within(Vec::new(), 80), NONE);
    }
}
