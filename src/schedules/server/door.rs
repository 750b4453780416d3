//! The address of a trigger: another system sets an agent off. Its signature speaks for it, and its id of what it sends makes one run,
//! however often that comes.

use std::collections::BTreeMap;

use axum::body::Bytes;
use chrono::Utc;
use serde_json::{Value, json};

use super::starting::{self, NewStart};
use super::store::triggers;
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_providers::Secret;
use patchbay_providers::signature::{TOLERANCE, verify_standard};
use patchbay_runs::server::Source;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentTriggerId, RunId, WorkspaceId};

/// Before the signature has been checked.
const CALLER: Machine = Machine { name: "somebody at a trigger", actions: &[Action::ReadWorkshop] };
/// Once it was right.
const SENDER: Machine = Machine { name: "trigger", actions: &[Action::ReadWorkshop, Action::ManageAgents] };
/// Runs of one trigger in a minute.
const MOST_A_MINUTE: i64 = 30;
/// The longest id that is taken.
const LONGEST_ID: usize = 200;

const NOT_SIGNED: &str =
    "The signature does not fit this address and body, or its time is more than five minutes from now.";

/// A request as it came.
pub(crate) struct Asked {
    pub workspace: WorkspaceId,
    pub trigger: AgentTriggerId,
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
    pub body: Bytes,
}

/// What the sender hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub status: u16,
    pub body: Value,
}

impl Answered {
    pub fn refused(status: u16, why: &str) -> Self {
        Self { status, body: json!({"error": why}) }
    }

    /// The same for what nobody signed, and for what is not there.
    pub fn not_signed() -> Self {
        Self::refused(401, NOT_SIGNED)
    }

    fn taken(scope: &Scope, run: RunId) -> Self {
        let address = format!("{}/runs/{run}", scope.services().public_url);
        Self { status: 202, body: json!({"run": run, "address": address}) }
    }
}

/// Checks the request, and begins the run that it asks for.
pub(crate) async fn answer(db: Db, asked: Asked) -> Answered {
    let trigger = asked.trigger;
    match taken(db, asked).await {
        Ok(answered) => answered,
        Err(AppError::NotFound) => Answered::not_signed(),
        Err(error) => {
            tracing::warn!(trigger = %trigger, cause = %error, "a trigger could not be answered");
            Answered::refused(503, "This does not work at the moment. Send it again, with the same id.")
        }
    }
}

async fn taken(db: Db, asked: Asked) -> Result<Answered, AppError> {
    // Without one it costs no look into the database.
    let Some(webhook) = asked.id.as_deref().filter(|id| !id.is_empty() && asked.signature.is_some()) else {
        return Ok(Answered::not_signed());
    };
    let caller = Scope::of_trigger(db.clone(), asked.workspace, CALLER);
    let mut tx = caller.read(Action::ReadWorkshop).await?;
    let sealed = triggers::secrets(&mut tx, asked.trigger).await?;
    drop(tx);
    let secrets: Vec<Secret<String>> =
        sealed.iter().map(|sealed| super::triggers::open(&caller, asked.trigger, sealed)).collect::<Result<_, _>>()?;
    let (timestamp, signature) = (asked.timestamp.as_deref(), asked.signature.as_deref());
    if let Err(why) = verify_standard(&secrets, webhook, timestamp, signature, &asked.body, Utc::now(), TOLERANCE) {
        tracing::info!(workspace = %asked.workspace, trigger = %asked.trigger, cause = %why, "refused a call of a trigger");
        return Ok(Answered::not_signed());
    }
    if webhook.len() > LONGEST_ID {
        return Ok(Answered::refused(422, "The webhook-id is longer than 200 characters."));
    }
    let sent = match serde_json::from_slice(&asked.body) {
        Ok(sent @ Value::Object(_)) => plain(sent),
        _ => return Ok(Answered::refused(422, "The body is not a JSON object.")),
    };
    let sender = Scope::of_trigger(db, asked.workspace, SENDER);
    // The agent hears what was sent as it was sent: what reads JSON changes the order, and numbers that are long.
    begun(&sender, asked.trigger, webhook, &String::from_utf8_lossy(&asked.body), &values(&sent)).await
}

async fn begun(
    scope: &Scope,
    id: AgentTriggerId,
    webhook: &str,
    input: &str,
    variables: &BTreeMap<String, String>,
) -> Result<Answered, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    // The trigger is held, so the same thing sent twice at once is taken once.
    let trigger = triggers::lock(&mut tx, id).await?;
    if let Some(run) = triggers::delivered(tx.reading(), id, webhook).await? {
        return Ok(Answered::taken(scope, run));
    }
    if !trigger.enabled {
        return Ok(Answered::refused(409, "This trigger is switched off."));
    }
    let (agent, reason) = starting::look(tx.reading(), trigger.agent).await?;
    if let Some(why) = reason {
        return Ok(Answered::refused(409, &why));
    }
    if triggers::in_last_minute(tx.reading(), id).await? >= MOST_A_MINUTE {
        let why = format!("More than {MOST_A_MINUTE} runs in a minute. Send it again in a minute, with the same id.");
        return Ok(Answered::refused(429, &why));
    }
    let run = RunId::new();
    let new = NewStart { run, source: Source::Trigger(id), title: &trigger.name, input, variables, started_by: None };
    starting::begin(&mut tx, &agent, &new).await?;
    triggers::deliver(&mut tx, id, webhook, run).await?;
    super::triggers::notify(&mut tx, trigger.agent);
    tx.commit().await?;
    Ok(Answered::taken(scope, run))
}

/// What was sent, as values for the prompt's variables: texts, numbers, and yes or no, by their names.
fn values(sent: &Value) -> BTreeMap<String, String> {
    let fields = sent.as_object().into_iter().flatten();
    let values = fields.filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Some((name.clone(), value.to_string())),
        _ => None,
    });
    values.collect()
}

/// A value that the database takes: without zero characters.
fn plain(value: Value) -> Value {
    let text = |text: String| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(own) => Value::String(text(own)),
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (text(name), plain(value))).collect(),
        other => other,
    }
}
