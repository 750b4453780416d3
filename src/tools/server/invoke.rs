//! Using a tool: the use is written down, done within its time, and what came of it is written down.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::kinds::{self, Ask, Done};
use super::store::{self, Stored, uses};
use crate::model::{Origin, ToolConfig, schema};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_jobs::live::Topic;
use patchbay_providers::chat::ChatTool;
use patchbay_runs::model::ErrorSource;
use patchbay_runs::server::{NewError, failed};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentToolId, CallId, ClientId, ContactId, RunId, ToolInvocationId};
use patchbay_workspaces::server as workspaces;

/// The most of an answer that a model reads.
pub(crate) const MOST_TO_MODEL: usize = 64 * 1024;
/// The most of a request or an answer that is kept for people.
const MOST_KEPT: usize = 64 * 1024;
/// The most seconds that a use takes on a live call.
const MOST_ON_CALL: u64 = 38;
/// The largest arguments.
pub(crate) const MOST_ARGUMENTS: usize = 64 * 1024;

/// A function that an agent may use.
#[derive(Debug, Clone)]
pub struct AgentTool {
    /// The tool that offers it; some offer several.
    pub id: AgentToolId,
    pub agent: AgentId,
    /// The tool's own name; functions of a tool that offers several have others.
    pub tool_name: String,
    /// What the model calls.
    pub name: String,
    pub description: String,
    /// A JSON Schema.
    pub parameters: Value,
    pub config: ToolConfig,
    sealed: Option<String>,
}

impl AgentTool {
    fn all_of(stored: &Stored) -> Vec<AgentTool> {
        let functions = stored.config.functions(&stored.name, &stored.description);
        let tools = functions.into_iter().map(|function| AgentTool {
            id: stored.id,
            agent: stored.agent_id,
            tool_name: stored.name.clone(),
            name: function.name,
            description: function.description,
            parameters: function.parameters,
            config: stored.config.clone(),
            sealed: stored.sealed.clone(),
        });
        tools.collect()
    }

    /// One function of a tool.
    pub(crate) fn of(stored: &Stored, name: &str) -> Option<AgentTool> {
        Self::all_of(stored).into_iter().find(|tool| tool.name == name)
    }

    /// Using it twice does nothing more than using it once.
    pub(crate) fn only_reads(&self) -> bool {
        match self.config {
            ToolConfig::Calendar(_) => self.name.ends_with("_slots") || self.name.ends_with("_list"),
            _ => self.config.only_reads(),
        }
    }

    pub(crate) fn sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }
}

/// In what a tool is used.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub origin: Origin,
    pub call: Option<CallId>,
    /// A run that is no call.
    pub run: Option<RunId>,
    /// For whom the agent works there: without a client no contact is found.
    pub client: Option<ClientId>,
    pub contact: Option<ContactId>,
    /// The number of the person on the line.
    pub phone: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the model reads.
    pub text: String,
    pub is_error: bool,
    /// What was sent and what came back, for people; without secrets.
    pub shown_request: Option<String>,
    pub shown_response: Option<String>,
    pub http_status: Option<u16>,
    pub took: Duration,
    pub effect: Option<Effect>,
    /// The passages of knowledge in the text, as they are kept.
    pub passages: Option<Value>,
    /// What was written down about it.
    pub id: Option<ToolInvocationId>,
}

/// What the tool wants of the conversation itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    EndCall,
    PressKeys(String),
    /// Leave these words with the answering machine, then end the call.
    Voicemail(String),
}

impl Outcome {
    fn failed(text: impl Into<String>) -> Self {
        Self::of(Done::failed(text), Duration::ZERO, None)
    }

    fn of(done: Done, took: Duration, id: Option<ToolInvocationId>) -> Self {
        Self {
            text: cut(&done.text, MOST_TO_MODEL),
            is_error: done.is_error,
            shown_request: done.request.map(|text| cut(&text, MOST_KEPT)),
            shown_response: done.response.map(|text| cut(&text, MOST_KEPT)),
            http_status: done.http_status,
            took,
            effect: done.effect,
            passages: (!done.passages.is_empty()).then(|| json!(done.passages)),
            id,
        }
    }
}

/// What an agent may use now, in its order.
pub async fn for_agent(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<AgentTool>, AppError> {
    let stored = store::list(tx, agent).await?;
    Ok(stored.iter().filter(|tool| tool.is_active).flat_map(AgentTool::all_of).collect())
}

/// What a model is told of them.
pub fn chat_tools(tools: &[AgentTool]) -> Vec<ChatTool> {
    let told = tools.iter().map(|tool| ChatTool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.parameters.clone(),
    });
    told.collect()
}

/// Uses a tool. Whatever goes wrong is an outcome that the model can read. The scope may `UseTools`, and `ReadContacts` and
/// `ManageContacts` for the tools that are about contacts.
pub async fn invoke(scope: &Scope, tool: &AgentTool, arguments: Value, invocation: &Invocation) -> Outcome {
    let arguments = storable_value(arguments);
    match begin(scope, tool, &arguments, invocation, "").await {
        Ok(Begun::New(id)) => perform(scope, tool, &arguments, invocation, id).await,
        Ok(Begun::Former(_)) => Outcome::failed("The same use is there already."),
        Err(error) => Outcome::failed(sentence(&error)),
    }
}

/// Whether a use is new.
pub(crate) enum Begun {
    New(ToolInvocationId),
    /// The same request was there before: its key.
    Former(String),
}

/// Writes down that a use begins. `key` as in `tool_invocations.dedupe_key`; empty: it is like no other one.
pub(crate) async fn begin(
    scope: &Scope,
    tool: &AgentTool,
    arguments: &Value,
    invocation: &Invocation,
    key: &str,
) -> Result<Begun, AppError> {
    let id = ToolInvocationId::new();
    let own = id.to_string();
    let key = if key.is_empty() { &own } else { key };
    let mut tx = scope.write(Action::UseTools).await?;
    let new = uses::NewUse {
        id,
        agent: tool.agent,
        tool: tool.id,
        tool_name: &tool.name,
        origin: invocation.origin,
        call: invocation.call,
        run: invocation.run,
        user: scope.user_id(),
        dedupe_key: key,
        arguments,
    };
    if !uses::insert(&mut tx, &new).await? {
        return Ok(Begun::Former(key.to_owned()));
    }
    tx.commit().await?;
    Ok(Begun::New(id))
}

/// Does what was begun, and writes down what came of it.
pub(crate) async fn perform(
    scope: &Scope,
    tool: &AgentTool,
    arguments: &Value,
    invocation: &Invocation,
    id: ToolInvocationId,
) -> Outcome {
    let began = Instant::now();
    let done = attempt(scope, tool, arguments, invocation, id).await;
    let outcome = Outcome::of(done, began.elapsed(), Some(id));
    let word = if outcome.is_error { "failed" } else { "succeeded" };
    metrics::counter!("patchbay_tool_uses_total", "kind" => tool.config.kind().as_str(), "result" => word).increment(1);
    if let Err(error) = write_down(scope, tool, invocation, id, &outcome).await {
        tracing::warn!(invocation = %id, cause = %error, "what came of a tool's use could not be written down");
    }
    outcome
}

async fn attempt(
    scope: &Scope,
    tool: &AgentTool,
    arguments: &Value,
    invocation: &Invocation,
    id: ToolInvocationId,
) -> Done {
    if let Err(why) = schema::validate(&tool.parameters, arguments) {
        return Done::failed(format!("{why} Correct it and try again."));
    }
    let empty = Map::new();
    let arguments = arguments.as_object().unwrap_or(&empty);
    match may_spend(scope, invocation.client).await {
        Ok(None) => {}
        Ok(Some(why)) => return Done::failed(why),
        Err(error) => return Done::failed(sentence(&error)),
    }
    let seconds = u64::from(tool.config.seconds());
    // The voice service waits for 40 seconds at most, and is told why when there is no answer.
    let limit =
        Duration::from_secs(if invocation.origin == Origin::Call { seconds.min(MOST_ON_CALL) } else { seconds });
    let ask = Ask { scope, tool, arguments, invocation, id, until: Instant::now() + limit };
    // What is asked outside has this limit, too, and says more about it. This one is for everything else.
    match tokio::time::timeout(limit + Duration::from_millis(250), kinds::run(&ask)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Done::failed(sentence(&error)),
        Err(_) if tool.only_reads() => Done::failed(format!("There was no answer within {} seconds.", limit.as_secs())),
        Err(_) => Done::failed(kinds::NOT_KNOWN),
    }
}

/// Why nothing may be used at this moment; none: it may.
async fn may_spend(scope: &Scope, client: Option<ClientId>) -> Result<Option<&'static str>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    if workspaces::is_suspended(&mut tx).await? {
        return Ok(Some("The agency’s account is suspended, so tools are not used."));
    }
    if let Some(client) = client
        && !store::is_client_active(&mut tx, client).await?
    {
        return Ok(Some("The client of this call is archived, so tools are not used."));
    }
    Ok(None)
}

async fn write_down(
    scope: &Scope,
    tool: &AgentTool,
    invocation: &Invocation,
    id: ToolInvocationId,
    outcome: &Outcome,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    let (answer, request, response) = (
        storable(&outcome.text),
        outcome.shown_request.as_deref().map(storable),
        outcome.shown_response.as_deref().map(storable),
    );
    let ended = uses::Ended {
        is_error: outcome.is_error,
        answer: &answer,
        request: request.as_deref(),
        response: response.as_deref(),
        http_status: outcome.http_status.map(i32::from),
        took_ms: i32::try_from(outcome.took.as_millis()).unwrap_or(i32::MAX),
        passages: outcome.passages.as_ref(),
    };
    uses::finish(&mut tx, id, &ended).await?;
    tx.notify(Topic::one("tools", tool.agent), None);
    if let Some(call) = invocation.call {
        tx.notify(Topic::one("run", call), None);
    }
    // A try is looked at by whoever made it, and a run without a call says itself what failed in it.
    if outcome.is_error && invocation.origin == Origin::Call {
        let error = NewError {
            run: invocation.call.map(|call| RunId(call.0)),
            agent: Some(tool.agent),
            client: invocation.client,
            source: ErrorSource::Tool,
            code: &tool.name,
            message: &answer,
            metadata: json!({ "tool": tool.name, "use": id, "http_status": outcome.http_status }),
        };
        failed(&mut tx, &error).await?;
    }
    tx.commit().await
}

/// Text that the database takes: without zero characters.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The same for values, and for names in them.
pub(crate) fn storable_value(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(storable(&text)),
        Value::Array(items) => items.into_iter().map(storable_value).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(name, value)| (storable(&name), storable_value(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// An error in words that a model may read: nothing of what is inside.
pub(crate) fn sentence(error: &AppError) -> String {
    match error {
        AppError::Internal(_) | AppError::Transport(_) => {
            "This does not work at the moment because of a fault on our side. Go on without it.".to_owned()
        }
        AppError::NotFound => "There is no such thing.".to_owned(),
        other => other.to_string(),
    }
}

/// At most so many bytes, and a word that says so.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… (cut: {} of {} bytes)", &text[..end], end, text.len())
}
