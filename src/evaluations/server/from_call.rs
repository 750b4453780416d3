//! A call or another run becomes a case: what the caller said is what a caller will say, what tools answered is what they answer, and personal details
//! are replaced before anybody sees the form.

use serde_json::Value;

use super::replace::{Known, Replacer};
use super::store::sources;
use crate::model::{CaseForm, CaseKind, Matcher, Replaced};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, RunId};
use patchbay_shared::text::one_line;
use patchbay_tools::model::schema;

/// What the caller said of a call, at most so many times.
const MOST_SAID: usize = 12;
/// The most of one answer of a tool.
const MOST_OF_ANSWER: usize = 500;

/// The form of a case that is made from a call. Errors: `NotFound`, also for the call of another agent.
pub(crate) async fn form(tx: &mut ReadTx, agent: AgentId, call: CallId) -> Result<(CaseForm, Vec<Replaced>), AppError> {
    let found = sources::call(tx, call).await?;
    if found.agent != Some(agent.0) {
        return Err(AppError::NotFound);
    }
    let words = sources::words(tx, call).await?;
    let (form, replaced) = made(agent, &words, known(&found), found.summary.trim());
    Ok((CaseForm { tags: "from a call".to_owned(), call: call.to_string(), ..form }, replaced))
}

/// The form of a case that is made from a run: of a live call, as from the call; else of its steps. Errors: `NotFound`, also for the run
/// of another agent.
pub(crate) async fn of_run(tx: &mut ReadTx, agent: AgentId, run: RunId) -> Result<(CaseForm, Vec<Replaced>), AppError> {
    let (of, call) = sources::run(tx, run).await?;
    if of != Some(agent) {
        return Err(AppError::NotFound);
    }
    if let Some(call) = call {
        return form(tx, agent, call).await;
    }
    let words = sources::words_of_run(tx, run).await?;
    let (form, replaced) = made(agent, &words, Vec::new(), "");
    Ok((CaseForm { tags: "from a run".to_owned(), ..form }, replaced))
}

/// What words make of a case, with personal details replaced.
fn made(agent: AgentId, words: &[sources::Spoken], mut known: Vec<Known>, summary: &str) -> (CaseForm, Vec<Replaced>) {
    for word in words.iter().filter(|word| word.role == "tool_result") {
        if let Ok(answer) = serde_json::from_str::<Value>(&word.text) {
            add_answer(&mut known, &answer);
        }
    }
    let mut replacer = Replacer::new(known);
    let said: Vec<String> = words
        .iter()
        .filter(|word| word.role == "user" && !word.text.trim().is_empty())
        .take(MOST_SAID)
        .map(|word| replacer.replace(word.text.trim()))
        .collect();
    let (mut checks, mut stubs): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    for word in words {
        let Some(tool) = word.tool.as_deref().filter(|tool| schema::is_name(tool)) else { continue };
        if word.role == "tool_call" && !checks.iter().any(|known| known == tool) {
            checks.push(tool.to_owned());
        }
        if word.role == "tool_result" && !stubs.iter().any(|(known, _)| known == tool) {
            let answer: String = word.text.chars().take(MOST_OF_ANSWER).collect();
            let answer = replacer.replace(&answer.replace(['\n', '\r'], " "));
            stubs.push((tool.to_owned(), answer.trim().to_owned()));
        }
    }
    let summary = replacer.replace(summary);
    let is_talk = said.len() > 1;
    let input = match is_talk {
        true => format!("You call and say, in this order, as it fits the talk:\n{}", said.join("\n")),
        false => said.first().cloned().unwrap_or_default(),
    };
    let expected = match summary.is_empty() {
        true => "The agent answers what the caller asks, and promises nothing that it has not done.".to_owned(),
        false => format!("The conversation comes to the same as this one did: {summary}"),
    };
    let beginning: String = one_line(said.first().map_or("Call", String::as_str)).chars().take(80).collect();
    let form = CaseForm {
        agent: agent.to_string(),
        name: beginning,
        kind: if is_talk { CaseKind::Conversation } else { CaseKind::Message }.as_str().to_owned(),
        input,
        most_turns: said.len().clamp(1, MOST_SAID).to_string(),
        matcher: Matcher::Judge.as_str().to_owned(),
        expected,
        tool_checks: checks.join("\n"),
        stubs: stubs.iter().map(|(tool, answer)| format!("{tool} = {answer}")).collect::<Vec<_>>().join("\n"),
        ..CaseForm::default()
    };
    (form, replacer.noted())
}

/// What is known of the person: from the contact, and from the call.
fn known(call: &sources::Call) -> Vec<Known> {
    let mut known = Vec::new();
    add_name(&mut known, &call.contact_name);
    for number in &call.numbers {
        add(&mut known, "Telephone number", number, "+1 415 555 0100");
    }
    if let Some(contact) = &call.contact {
        add_name(&mut known, &contact.name);
        add(&mut known, "Telephone number", &contact.phone, "+1 415 555 0100");
        add(&mut known, "E-mail address", contact.email.as_deref().unwrap_or_default(), "robin@example.com");
        for (name, detail) in &contact.details {
            add_detail(&mut known, name, detail);
        }
    }
    known
}

/// What a tool has told of somebody, as where contacts are looked up.
fn add_answer(known: &mut Vec<Known>, answer: &Value) {
    if let Value::Array(all) = answer {
        all.iter().filter(|one| one.is_object()).for_each(|one| add_answer(known, one));
        return;
    }
    if let Some(name) = answer["name"].as_str().filter(|name| is_telling(name)) {
        add_name(known, name);
    }
    if let Some(company) = answer["company"].as_str().filter(|company| is_telling(company)) {
        add(known, "Company", company, "Example Ltd");
    }
    for (name, detail) in answer["details"].as_object().into_iter().flatten() {
        add_detail(known, name, detail.as_str().unwrap_or_default());
    }
}

fn add(known: &mut Vec<Known>, what: &str, was: &str, becomes: &str) {
    known.push(Known { what: what.to_owned(), was: was.to_owned(), becomes: becomes.to_owned() });
}

fn add_name(known: &mut Vec<Known>, name: &str) {
    add(known, "Name", name, "Robin Example");
    let parts: Vec<&str> = name.split_whitespace().collect();
    if let [first, .., last] = parts.as_slice() {
        add(known, "First name", first, "Robin");
        add(known, "Last name", last, "Example");
    }
}

fn add_detail(known: &mut Vec<Known>, name: &str, detail: &str) {
    if is_telling(detail) {
        add(known, &format!("Detail “{name}”"), detail, &format!("[{name}]"));
    }
}

/// Short words such as “yes” are in every talk.
fn is_telling(detail: &str) -> bool {
    (4..=80).contains(&detail.chars().count())
}
