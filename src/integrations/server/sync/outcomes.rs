//! Results of calls, written to a CRM: an activity with the link to the call, fields of the contact, and a task when somebody wants to be
//! called back. Each carries the call's id as its key, so that one whose answer was lost is found and not made again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::read::name_of;
use super::write::{Told, entry_of, refusal, stops_one, whole};
use super::{Step, Trouble, Work, here, holds, written};
use crate::model::Direction;
use crate::server::mapping::{Fields, shown};
use crate::server::store::calls::{self, CallFacts};
use crate::server::store::links::{self, Link, NewLink};
use crate::server::store::pending::{self, Pending};
use crate::server::store::syncs::{Entry, Sync};
use patchbay_access::Action;
use patchbay_contacts::server::synced::{self, SyncedContact};
use patchbay_providers::ProviderError;
use patchbay_providers::crm::{Crm, CrmCall, CrmRefusal, CrmTask, CrmWritten};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ContactId};

/// So many are written in a step.
const AT_ONCE: i64 = 10;
/// Longest text of a field, in characters.
const LONGEST: usize = 2_000;

/// Calls whose results are due.
pub(super) async fn calls(work: &Work<'_>, sync: &Sync, crm: &dyn Crm) -> Result<Step, Trouble> {
    let mut tx = work.scope.read(Action::ReadIntegrations).await?;
    let due = pending::due(&mut tx, work.integration.id, "write", "call", AT_ONCE).await?;
    drop(tx);
    if due.is_empty() {
        return Ok(Step::Through);
    }
    for one in &due {
        let Some(call) = one.call else { continue };
        let known = Known::of(work, one, call).await?;
        let mut kept = Kept::default();
        let ended = match &known {
            Some(known) if known.is_gone => Ok(Ended::Left(format!("The contact was removed in {}.", work.system()))),
            Some(known) => tell(work, crm, call, known, &mut kept).await,
            None => Ok(Ended::Left("The call belongs to no contact here.".into())),
        };
        let mut tx = work.scope.write(Action::ManageIntegrations).await?;
        if !holds(&mut tx, sync).await? {
            return Ok(Step::NotOurs);
        }
        // What was made there is remembered, also where a later request for the same call did not go well.
        put_links(&mut tx, work, call, known.as_ref(), &kept).await?;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tx.commit().await?;
                return Err(error.into());
            }
        };
        let mut told = Told::default();
        match ended {
            Ended::Left(why) => {
                pending::done(&mut tx, one.id).await?;
                told.tally.skipped += 1;
                told.entries.push(Entry { result: "skipped", message: why, ..entry_of("write", one, None) });
            }
            Ended::Refused { refusal, sent } => {
                let link = known.as_ref().and_then(|known| known.link.as_ref());
                told.refused(&mut tx, work, one, "write", link, &refusal, &sent).await?;
            }
            Ended::Done { message } => {
                pending::done(&mut tx, one.id).await?;
                told.tally.written += 1;
                let entry = entry_of("write", one, kept.contact.or(kept.call));
                told.entries.push(Entry { result: "done", message, ..entry });
            }
        }
        written(&mut tx, work, sync, &here(sync)?, told.tally, &told.entries).await?;
        tx.commit().await?;
    }
    Ok(Step::More)
}

/// A call with whom it was, and what was written about it before.
struct Known {
    facts: CallFacts,
    contact: SyncedContact,
    link: Option<Link>,
    /// Its record was removed there, so none is made anew.
    is_gone: bool,
    /// Others who may be taken for this contact there, and their records.
    others: Vec<(String, String)>,
    activity: Option<String>,
    task: Option<String>,
}

impl Known {
    /// None: it was with nobody whom we know, or is gone.
    async fn of(work: &Work<'_>, one: &Pending, call: CallId) -> Result<Option<Self>, AppError> {
        let mut tx = work.scope.read(Action::ReadIntegrations).await?;
        let facts = match calls::facts(&mut tx, call).await {
            Ok(facts) => facts,
            Err(AppError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(id) = facts.contact_id.or(one.contact) else { return Ok(None) };
        let Some(contact) = synced::look(&mut tx, work.client, &[id]).await?.pop() else { return Ok(None) };
        let integration = work.integration.id;
        let link = links::of_contacts(&mut tx, integration, &[id]).await?.into_iter().next();
        let is_gone = link.is_none() && links::is_removed(&mut tx, integration, id).await?;
        let mut others = Vec::new();
        if link.is_none() {
            let email: Vec<String> = contact.email.iter().cloned().collect();
            let alike = synced::alike(&mut tx, work.client, &[], &email).await?;
            let ids: Vec<_> = alike.iter().map(|other| other.id).filter(|other| *other != id).collect();
            for other in links::of_contacts(&mut tx, integration, &ids).await? {
                let named = alike.iter().find(|one| Some(one.id) == other.contact_id).map(name_of);
                others.push((named.unwrap_or_default(), other.remote_id));
            }
        }
        let activity = links::of_call(&mut tx, integration, "call", call).await?;
        let task = links::of_call(&mut tx, integration, "task", call).await?;
        Ok(Some(Self { facts, contact, link, is_gone, others, activity, task }))
    }
}

/// Ids there that are to be remembered.
#[derive(Default)]
struct Kept {
    contact: Option<String>,
    agreed: Fields,
    call: Option<String>,
    task: Option<String>,
}

enum Ended {
    Done { message: String },
    Left(String),
    Refused { refusal: CrmRefusal, sent: BTreeMap<String, String> },
}

/// An answer about one thing: what stops asking at all is an error.
fn about_one(answer: Result<CrmWritten, ProviderError>) -> Result<CrmWritten, ProviderError> {
    match answer {
        Err(error) if stops_one(&error) => Ok(Err(refusal(error.sentence()))),
        other => other,
    }
}

/// Tells the CRM all that it does not know of the call.
async fn tell(
    work: &Work<'_>,
    crm: &dyn Crm,
    call: CallId,
    known: &Known,
    kept: &mut Kept,
) -> Result<Ended, ProviderError> {
    let contact = match &known.link {
        Some(link) => link.remote_id.clone(),
        None => {
            let (properties, written, agreed) = whole(work, &known.contact);
            // The service would take one for the other, and write over it.
            if let Some((name, record)) = known.others.first() {
                let refusal = refusal(format!(
                    "{} here has the same e-mail address and is the record {record}. Link or merge them there",
                    shown(name)
                ));
                return Ok(Ended::Refused { refusal, sent: properties });
            }
            match about_one(crm.upsert(&properties, &written).await)? {
                Ok(id) => {
                    (kept.contact, kept.agreed) = (Some(id.clone()), agreed);
                    id
                }
                Err(refusal) => return Ok(Ended::Refused { refusal, sent: properties }),
            }
        }
    };
    let facts = &known.facts;
    let url = format!("{}/calls/{call}", work.scope.services().public_url);
    if known.activity.is_none() {
        let activity = CrmCall {
            key: call.to_string(),
            contact: contact.clone(),
            title: title(facts),
            body: body(facts, &url),
            at: facts.started_at,
            seconds: facts.seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0),
            inbound: facts.is_inbound,
            from: facts.from.clone().unwrap_or_default(),
            to: facts.to.clone().unwrap_or_default(),
            reached: facts.was_answered,
        };
        match about_one(crm.write_call(&activity).await)? {
            Ok(id) => kept.call = Some(id),
            Err(refusal) => return Ok(Ended::Refused { refusal, sent: BTreeMap::new() }),
        }
    }
    let fields = fields(work, facts, &url);
    if !fields.is_empty() {
        let answer = crm.update(&[(contact.clone(), fields.clone())]).await;
        let answer = answer.map(|mut results| match results.len() {
            1 => results.remove(0),
            _ => Err(refusal("The service did not say what became of the fields.".into())),
        });
        if let Err(refusal) = about_one(answer)? {
            return Ok(Ended::Refused { refusal, sent: fields });
        }
    }
    let is_kept_here = work.lines.iter().any(|line| line.ours == "callback_at" && line.direction == Direction::Kept);
    let mut message = "Written with the link to the call.".to_owned();
    if let Some(due) = facts.call_back_at.filter(|_| known.task.is_none() && !is_kept_here) {
        let words = facts.call_back_words.as_deref().unwrap_or_default();
        let task = CrmTask {
            key: call.to_string(),
            contact,
            title: format!("Call back {}", named(facts, &known.contact)),
            body: [words, &url].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join("\n"),
            due,
        };
        match about_one(crm.write_task(&task).await)? {
            Ok(id) => kept.task = Some(id),
            Err(refusal) => return Ok(Ended::Refused { refusal, sent: BTreeMap::new() }),
        }
        message = "Written with the link to the call, and a task to call back.".to_owned();
    }
    Ok(Ended::Done { message })
}

async fn put_links(
    tx: &mut patchbay_access::server::WriteTx,
    work: &Work<'_>,
    call: CallId,
    known: Option<&Known>,
    kept: &Kept,
) -> Result<(), AppError> {
    let contact = known.map(|known| known.contact.id);
    let made = [("contact", &kept.contact), ("call", &kept.call), ("task", &kept.task)];
    for (kind, remote_id) in made {
        let Some(remote_id) = remote_id else { continue };
        // A record that is another contact's stays so.
        if kind == "contact" && is_of_another(tx, work, remote_id, contact).await? {
            continue;
        }
        let link = NewLink {
            integration: work.integration.id,
            client: work.client,
            kind,
            remote_id,
            contact,
            call: Some(call).filter(|_| kind != "contact"),
            agreed: if kind == "contact" { &kept.agreed } else { &EMPTY },
            facts: &json!({}),
            changed_at: None,
        };
        links::put(tx, &link).await?;
        // One that was found there may say what nobody here has read: that nobody may call, for one.
        if kind == "contact" {
            let found = std::slice::from_ref(remote_id);
            pending::want_records(tx, work.integration.id, work.client, found).await?;
        }
    }
    Ok(())
}

async fn is_of_another(
    tx: &mut patchbay_access::server::WriteTx,
    work: &Work<'_>,
    remote_id: &str,
    contact: Option<ContactId>,
) -> Result<bool, AppError> {
    let known = links::of_records(tx.reading(), work.integration.id, "contact", &[remote_id.to_owned()]).await?;
    Ok(known.iter().any(|link| link.removed_at.is_none() && link.contact_id.is_some() && link.contact_id != contact))
}

static EMPTY: Fields = Fields::new();

fn named(facts: &CallFacts, contact: &SyncedContact) -> String {
    let names = [&contact.name, &facts.contact_name, &contact.phone];
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default()
}

fn outcome(facts: &CallFacts) -> &'static str {
    match (facts.outcome, facts.was_answered) {
        (Some(outcome), _) => outcome.label(),
        (None, true) => "Answered",
        (None, false) => "Not reached",
    }
}

fn title(facts: &CallFacts) -> String {
    let agent = facts.agent.as_deref().filter(|name| !name.is_empty()).unwrap_or("Agent");
    let what = if facts.is_inbound { "answered a call" } else { "called" };
    format!("{agent} {what}: {}", outcome(facts))
}

fn body(facts: &CallFacts, url: &str) -> String {
    let mut lines = Vec::new();
    lines.extend(facts.summary.as_deref().filter(|text| !text.is_empty()).map(str::to_owned));
    lines.extend(
        facts.goal_reached.map(|reached| if reached { "Goal reached." } else { "Goal not reached." }.to_owned()),
    );
    lines.push(url.to_owned());
    lines.join("\n").chars().take(10_000).collect()
}

/// Fields of the contact there that tell of the call.
fn fields(work: &Work<'_>, facts: &CallFacts, url: &str) -> BTreeMap<String, String> {
    let rules = work.rules();
    let mut properties = BTreeMap::new();
    let analysis = |name: &str| facts.analysis.as_ref().and_then(|analysis| found(analysis, name));
    for line in &work.lines {
        if !matches!(line.direction, Direction::Out | Direction::Both) {
            continue;
        }
        let value = match line.ours.as_str() {
            "outcome" => Some(outcome(facts).to_owned()),
            "summary" => facts.summary.as_ref().filter(|text| !text.is_empty()).map(|text| format!("{text}\n{url}")),
            "callback_at" => facts.call_back_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            "goal" => facts.goal_reached.map(|reached| reached.to_string()),
            "score" => analysis("satisfaction"),
            other => other.strip_prefix("answer:").and_then(analysis),
        };
        if let Some(value) = value {
            let value: String = value.chars().take(LONGEST).collect();
            rules.as_theirs(&line.ours, &value, &mut properties);
        }
    }
    properties
}

/// A value of the analysis by its name, as text.
fn found(analysis: &Value, name: &str) -> Option<String> {
    let value = analysis.get(name).or_else(|| analysis.get("reading")?.get(name))?;
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(texts.join("; ")).filter(|text| !text.is_empty())
        }
        other => Some(other.to_string()),
    }
}
