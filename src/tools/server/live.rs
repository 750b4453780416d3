//! The door through which the voice service uses an agent's tools while a call goes on. The call's own token opens it, for that call
//! alone; the same request, come twice, does nothing twice.

use std::time::Duration;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::invoke::{AgentTool, Begun, Effect, Invocation, Outcome, begin, cut, perform, sentence, storable_value};
use super::kinds::NOT_KNOWN;
use super::store::uses::{self, Former};
use super::store::{self, LiveCall};
use crate::model::{Origin, ToolConfig, UseStatus};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_providers::{Binding, Secret};
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{AgentToolId, CallId, WorkspaceId};

/// What a tool may do on a call, once the call's token was right.
const TOOLS: Machine = Machine {
    name: "tools on a call",
    actions: &[
        Action::UseTools,
        Action::ReadWorkshop,
        Action::ReadContacts,
        Action::ManageContacts,
        // Documents are searched by meaning, too.
        Action::UseConnections,
        // Work is handed to teams.
        Action::RunTeams,
    ],
};
/// The most uses in one call: a model that goes round in circles stops there.
const MOST_IN_CALL: i64 = 200;
/// A request that is the same as one that began so few seconds ago and failed is that one, come twice.
const AT_ONCE: f64 = 2.0;
/// The same, where the first one has not failed.
const DOUBLED: f64 = 10.0;
/// The same for what does something, as long as the agent has done nothing else with the tool since.
const LATE: f64 = 120.0;
/// How often a request that came twice looks whether the first one is done.
const LOOK: Duration = Duration::from_millis(150);
/// The longest answer of ours: what the voice service takes is not documented.
const LONGEST_ERROR: usize = 500;

/// What a token says beside its place, so that one of another kind never fits.
#[derive(Serialize, Deserialize)]
struct Pass {
    tools: bool,
}

fn place(workspace: WorkspaceId, call: CallId) -> Binding {
    Binding::new(workspace.0, format!("call:{call}"), "tools")
}

/// What the voice service shows when it uses a tool in this call. It opens nothing in another call or workspace.
pub fn token(services: &Services, workspace: WorkspaceId, call: CallId) -> Result<Secret<String>, AppError> {
    let sealed = services.ring.seal(&place(workspace, call), &Pass { tools: true }).map_err(internal)?;
    Ok(Secret::new(format!("{call}.{sealed}")))
}

/// The call that a token is for, in this workspace. None: it is no token, or another one's.
fn call_of(services: &Services, workspace: WorkspaceId, token: &str) -> Option<CallId> {
    let (call, sealed) = token.split_once('.')?;
    let call: CallId = call.parse().ok()?;
    let pass: Pass = services.ring.open(&place(workspace, call), sealed).ok()?;
    pass.tools.then_some(call)
}

/// A request as it came.
pub(crate) struct Asked {
    pub workspace: WorkspaceId,
    pub tool: AgentToolId,
    pub function: String,
    pub token: Option<String>,
    /// The voice service's id of the call.
    pub provider_call: Option<String>,
    pub body: Bytes,
}

/// What the voice service hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub status: u16,
    pub text: String,
    pub hangs_up: bool,
}

impl Answered {
    fn refused(status: u16, text: &str) -> Self {
        Self { status, text: text.to_owned(), hangs_up: false }
    }

    fn of(is_error: bool, text: &str, effect: Option<&Effect>) -> Self {
        match is_error {
            true => Self::refused(422, &cut(text, LONGEST_ERROR)),
            false => Self { status: 200, text: text.to_owned(), hangs_up: effect == Some(&Effect::EndCall) },
        }
    }
}

/// Checks the request and does what it asks.
pub(crate) async fn answer(db: Db, asked: Asked) -> Answered {
    let Some(call) = asked.token.as_deref().and_then(|token| call_of(db.services(), asked.workspace, token)) else {
        return Answered::refused(401, "This request does not carry the token of a call.");
    };
    let scope = Scope::of_live_call(db, asked.workspace, TOOLS);
    match used(&scope, call, &asked).await {
        Ok(answered) => answered,
        Err(error) => {
            let status = if matches!(error, AppError::Internal(_) | AppError::Transport(_)) { 503 } else { 422 };
            Answered::refused(status, &sentence(&error))
        }
    }
}

async fn used(scope: &Scope, id: CallId, asked: &Asked) -> Result<Answered, AppError> {
    let arguments: Value = match asked.body.is_empty() {
        true => Value::Object(serde_json::Map::new()),
        false => match serde_json::from_slice(&asked.body) {
            Ok(arguments @ Value::Object(_)) => storable_value(arguments),
            _ => return Ok(Answered::refused(400, "The arguments are not a JSON object.")),
        },
    };
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let Some(call) = store::call(&mut tx, id).await? else {
        return Ok(Answered::refused(401, "There is no such call."));
    };
    if let Some(refused) = not_now(&call, asked) {
        return Ok(refused);
    }
    let stored = store::in_use(&mut tx, asked.tool.0).await?;
    // Another agent's tool is none of this call's.
    let stored = stored.filter(|tool| Some(tool.agent_id) == call.agent);
    let Some(tool) = stored.and_then(|stored| AgentTool::of(&stored, &asked.function)) else {
        return Ok(Answered::refused(404, "This tool is not available any more."));
    };
    if uses::count_in_call(&mut tx, id, MOST_IN_CALL).await? >= MOST_IN_CALL {
        return Ok(Answered::refused(429, "Tools were used too often in this call. Go on without them."));
    }
    let beginning = format!("{}:", fingerprint(&tool.name, &arguments));
    let former = uses::newest_like(&mut tx, id, tool.id, &beginning).await?;
    drop(tx);
    let number = match &former {
        Some(former) if is_doubled(former, &tool) => {
            return again(scope, &tool, id, &former.dedupe_key).await;
        }
        Some(former) => {
            let last = former.dedupe_key.rsplit(':').next().and_then(|last| last.parse::<u32>().ok());
            last.map_or(0, |last| last + 1)
        }
        None => 0,
    };
    let invocation = Invocation {
        origin: Origin::Call,
        call: Some(id),
        run: None,
        client: call.client,
        contact: call.contact,
        phone: call.phone,
    };
    // Two requests that come at the same moment ask for the same key, and one of them gets it.
    match begin(scope, &tool, &arguments, &invocation, &format!("{beginning}{number:04}")).await? {
        Begun::Former(key) => again(scope, &tool, id, &key).await,
        Begun::New(invoked) => {
            let Outcome { is_error, text, effect, .. } = perform(scope, &tool, &arguments, &invocation, invoked).await;
            Ok(Answered::of(is_error, &text, effect.as_ref()))
        }
    }
}

/// Whether a request is an earlier one, come again: sent twice on its way, or asked for anew by a model that was interrupted.
fn is_doubled(former: &Former, tool: &AgentTool) -> bool {
    let only_reads = tool.only_reads();
    match former.status {
        // What was read before something else was done may be something else now.
        UseStatus::Succeeded | UseStatus::Failed if only_reads && former.is_past => false,
        // Nothing was done, so the model may try again.
        UseStatus::Failed if former.answer != NOT_KNOWN => former.age_seconds < AT_ONCE,
        // Whoever did not answer is rung again when the caller wants it; while it rings, nobody is.
        // A team that is asked again tells what came of what it was asked before.
        _ if only_reads || matches!(tool.config, ToolConfig::Transfer(_) | ToolConfig::Team(_)) => {
            former.age_seconds < DOUBLED
        }
        _ => former.age_seconds < DOUBLED || (former.age_seconds < LATE && !former.was_followed),
    }
}

/// Why tools cannot be used in this call at this moment.
fn not_now(call: &LiveCall, asked: &Asked) -> Option<Answered> {
    if call.is_over {
        return Some(Answered::refused(410, "The call is over."));
    }
    // Right after it was placed, the call's id at the service is not known yet.
    let is_other =
        call.provider_call_id.as_ref().zip(asked.provider_call.as_ref()).is_some_and(|(own, sent)| own != sent);
    is_other.then(|| Answered::refused(401, "The token is another call’s."))
}

/// The answer of a request that was there before: the first one's, as soon as there is one.
async fn again(scope: &Scope, tool: &AgentTool, call: CallId, key: &str) -> Result<Answered, AppError> {
    let until = tokio::time::Instant::now() + Duration::from_secs(u64::from(tool.config.seconds()) + 1);
    loop {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let former = uses::newest_like(&mut tx, call, tool.id, key).await?.ok_or(AppError::NotFound)?;
        drop(tx);
        match former.status {
            UseStatus::Succeeded => return Ok(Answered::of(false, &former.answer, None)),
            UseStatus::Failed => return Ok(Answered::of(true, &former.answer, None)),
            UseStatus::Running if tokio::time::Instant::now() >= until => {
                return Ok(Answered::refused(409, NOT_KNOWN));
            }
            UseStatus::Running => tokio::time::sleep(LOOK).await,
        }
    }
}

/// The same for the same function with the same arguments, in whatever order they come.
fn fingerprint(function: &str, arguments: &Value) -> String {
    let mut hash = Sha256::new();
    hash.update(function.as_bytes());
    hash.update([0]);
    hash.update(sorted(arguments).to_string().as_bytes());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            Value::Object(names.into_iter().map(|name| (name.clone(), sorted(&map[name]))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
