//! Functions of a server that speaks the Model Context Protocol. A conversation with a server is kept for a while, so that the second use
//! in a call does not begin with greetings; what the server offers is compared with what was chosen before anything is used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::http::without;
use super::{Ask, Done, NOT_KNOWN, Secrets, open};
use crate::model::{Mcp, Offered, schema};
use crate::server::invoke::{MOST_TO_MODEL, cut};
use crate::server::ops::topic;
use crate::server::store::offers;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_providers::mcp::{McpFunction, McpServer, McpSession, McpTrouble};
use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentToolId;

/// How long a conversation is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(90);
/// How long what a server offers is believed.
const BELIEVED: Duration = Duration::from_secs(60);
/// The most conversations that one process keeps.
const MOST_KEPT: usize = 200;
/// How long somebody waits who asks for the list.
const LISTING: Duration = Duration::from_secs(15);
/// The most of what a server offers that is kept, in bytes.
const MOST_OFFERED: usize = 512 * 1024;

/// Conversations with servers, by tool, address and secrets.
#[derive(Default)]
struct Kept(Mutex<HashMap<[u8; 32], Arc<Held>>>);

struct Held {
    session: McpSession,
    /// What it offered, and when it was asked.
    offered: Mutex<(Vec<Offered>, Instant)>,
    used: Mutex<Instant>,
}

pub(super) async fn run(ask: &Ask<'_>, config: &Mcp) -> Result<Done, AppError> {
    let secrets = ask.secrets()?;
    let Some(chosen) = config.chosen_as(&ask.tool.tool_name, &ask.tool.name) else { return Err(AppError::NotFound) };
    let arguments = Value::Object(ask.arguments.clone());
    let shown = json!({ "method": "tools/call", "params": { "name": chosen.name, "arguments": arguments } });
    let request = format!("POST {}\n\n{}", config.address, serde_json::to_string_pretty(&shown).unwrap_or_default());
    let done = match used(ask, config, chosen, &secrets).await? {
        Ok(done) => done,
        Err(trouble) if trouble.may_have_acted() => Done::failed(NOT_KNOWN),
        Err(trouble) => Done::failed(format!("This does not work: {}.", without(&secrets, &trouble.to_string()))),
    };
    Ok(Done { request: Some(request), ..done })
}

async fn used(
    ask: &Ask<'_>,
    config: &Mcp,
    chosen: &Offered,
    secrets: &Secrets,
) -> Result<Result<Done, McpTrouble>, AppError> {
    let services = ask.scope.services();
    let server = server(services, config, secrets);
    let key = key(ask.scope, ask.tool.id, &server);
    let held = match held(services, key, &server, ask.left()).await {
        Ok(held) => held,
        // Nothing was asked of it but its list.
        Err(trouble) => return Ok(Err(not_acted(trouble))),
    };
    let listed = match current(&held, ask.left()).await {
        // What this process heard some seconds ago may be older than what was accepted since.
        Ok(offered) if !offered.contains(chosen) => list(&held, ask.left()).await,
        other => other,
    };
    let offered = match listed {
        Ok(offered) => offered,
        Err(trouble) => {
            discard(services, &key, &held);
            return Ok(Err(not_acted(trouble)));
        }
    };
    if !offered.contains(chosen) {
        let mut tx = ask.scope.write(Action::UseTools).await?;
        offers::set(&mut tx, ask.tool.id, &offered, true).await?;
        tx.notify(topic(ask.tool.agent), None);
        tx.commit().await?;
        let is_there = offered.iter().any(|one| one.name == chosen.name);
        let why = match is_there {
            true => "The server describes this function in other words now. Somebody has to accept them first.",
            false => "The server does not offer this function any more.",
        };
        return Ok(Ok(Done::failed(why)));
    }
    let answer = match held.session.call(&chosen.name, ask.arguments.clone(), ask.left()).await {
        Ok(answer) => answer,
        Err(trouble) => {
            // What hangs would keep a place in the conversation.
            if trouble.may_have_acted() {
                discard(services, &key, &held);
            }
            return Ok(Err(trouble));
        }
    };
    let text = without(secrets, &answer.text);
    let text = cut(text.trim(), MOST_TO_MODEL);
    Ok(Ok(Done {
        text: match text.is_empty() {
            true if answer.is_error => "The server says that it failed, and nothing else.".to_owned(),
            true => "Done. The server said nothing else.".to_owned(),
            false => text,
        },
        is_error: answer.is_error,
        response: Some(without(secrets, &answer.whole)),
        ..Done::default()
    }))
}

/// Before a function is asked for, nothing can have been done.
fn not_acted(trouble: McpTrouble) -> McpTrouble {
    if trouble.may_have_acted() { McpTrouble::Before(trouble.to_string()) } else { trouble }
}

/// What a server offers now, for the list that people choose from.
pub(crate) async fn offered(
    scope: &Scope,
    tool: AgentToolId,
    sealed: Option<&str>,
    config: &Mcp,
) -> Result<Vec<Offered>, McpTrouble> {
    let broken = |_: AppError| McpTrouble::Refused("its headers cannot be read".to_owned());
    let secrets = open(scope, tool, sealed).map_err(broken)?;
    let services = scope.services();
    let server = server(services, config, &secrets);
    let asked = async {
        let key = key(scope, tool, &server);
        let held = held(services, key, &server, LISTING).await?;
        let listed = list(&held, LISTING).await;
        if listed.is_err() {
            discard(services, &key, &held);
        }
        listed
    };
    let hidden = |trouble: McpTrouble| match trouble {
        McpTrouble::Said(text) => McpTrouble::Said(without(&secrets, &text)),
        McpTrouble::Broken(text) => McpTrouble::Broken(without(&secrets, &text)),
        other => other,
    };
    asked.await.map_err(hidden)
}

fn server(services: &Services, config: &Mcp, secrets: &Secrets) -> McpServer {
    let headers = secrets.iter().filter(|(name, _)| config.secret_headers.contains(name));
    McpServer {
        address: config.address.clone(),
        headers: headers.map(|(name, value)| (name.clone(), value.clone())).collect(),
        except: services.sandbox.as_ref().map(|sandbox| sandbox.tools.clone()),
    }
}

fn key(scope: &Scope, tool: AgentToolId, server: &McpServer) -> [u8; 32] {
    let mut hash = Sha256::new();
    let (workspace, tool) = (scope.workspace_id().to_string(), tool.to_string());
    let headers = server.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for part in [workspace.as_str(), tool.as_str(), server.address.as_str()].into_iter().chain(headers) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// The conversation that there is, or a new one.
async fn held(
    services: &Services,
    key: [u8; 32],
    server: &McpServer,
    within: Duration,
) -> Result<Arc<Held>, McpTrouble> {
    let kept = services.state::<Kept>();
    {
        let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| !held.session.is_over());
        if let Some(held) = all.get(&key) {
            held.touch();
            return Ok(held.clone());
        }
    }
    let until = Instant::now() + within;
    let session = McpSession::open(&services.http, server, within).await?;
    let offered = read(&session, until.saturating_duration_since(Instant::now())).await?;
    let now = Instant::now();
    let held = Arc::new(Held { session, offered: Mutex::new((offered, now)), used: Mutex::new(now) });
    let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() < MOST_KEPT {
        all.insert(key, held.clone());
        tokio::spawn(forget(kept.clone(), key, Arc::downgrade(&held)));
    }
    Ok(held)
}

/// Keeps a conversation no longer: it is not in order.
fn discard(services: &Services, key: &[u8; 32], held: &Arc<Held>) {
    let kept = services.state::<Kept>();
    let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.get(key).is_some_and(|known| Arc::ptr_eq(known, held)) {
        all.remove(key);
    }
}

/// Ends a conversation that nobody has used for a while.
async fn forget(kept: Arc<Kept>, key: [u8; 32], held: std::sync::Weak<Held>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(held) = held.upgrade() else { return };
        let used = *held.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.elapsed() >= IDLE || held.session.is_over() {
            let mut all = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.get(&key).is_some_and(|known| Arc::ptr_eq(known, &held)) {
                all.remove(&key);
            }
            return;
        }
    }
}

impl Held {
    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// What it offers, asked anew when that was some time ago.
async fn current(held: &Held, within: Duration) -> Result<Vec<Offered>, McpTrouble> {
    let known = held.offered.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if known.1.elapsed() < BELIEVED { Ok(known.0) } else { list(held, within).await }
}

async fn list(held: &Held, within: Duration) -> Result<Vec<Offered>, McpTrouble> {
    let offered = read(&held.session, within).await?;
    *held.offered.lock().unwrap_or_else(PoisonError::into_inner) = (offered.clone(), Instant::now());
    Ok(offered)
}

async fn read(session: &McpSession, within: Duration) -> Result<Vec<Offered>, McpTrouble> {
    let mut size = 0;
    let listed = session.functions(within).await?.into_iter().map(offer);
    let mut all: Vec<Offered> = Vec::new();
    for one in listed {
        size += one.description.len() + one.parameters.to_string().len();
        // The same name twice is one function: the server could not tell which was meant.
        if size <= MOST_OFFERED && all.iter().all(|known| known.name != one.name) {
            all.push(one);
        }
    }
    Ok(all)
}

/// A function as it can be stored and chosen. Parameters that do not fit stay as they are: the page says what is wrong with them.
fn offer(function: McpFunction) -> Offered {
    let McpFunction { name, description, parameters } = function;
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    let parameters = schema::fitting(&parameters).unwrap_or(parameters);
    let text = clean(&parameters.to_string());
    Offered {
        name: clean(&name).chars().take(200).collect(),
        description: clean(&description),
        parameters: serde_json::from_str(&text.replace("\\u0000", "\\ufffd")).unwrap_or_default(),
    }
}
