//! Who answers a call that comes in. The carrier waits for the answer: the call is written down first, then the agent is asked for, and
//! whatever goes wrong, the caller hears a sentence and the call is listed as missed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;

use super::door::{self, Account, Asked};
use super::jobs::SettleCall;
use super::voice::{self, Asked as AskedVoice};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, ReadTx, Scope, WriteTx};
use patchbay_agents::server::ops::{self as agents, CallableAgent};
use patchbay_calls::model::MissedReason;
use patchbay_calls::server::dialled;
use patchbay_calls::server::earlier;
use patchbay_calls::server::incoming::{self, Incoming, NewIncoming};
use patchbay_clients::model::ClientStatus;
use patchbay_connections::model::Mode;
use patchbay_connections::server::{ops as connections, trunks};
use patchbay_contacts::server::{Caller, caller};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_numbers::model::{CLOSED, UNAVAILABLE};
use patchbay_numbers::server::answering::{self, Answers, CalledNumber};
use patchbay_providers::VoiceProvider;
use patchbay_providers::incoming::{IncomingCall, Reply};
use patchbay_providers::voice::Line;
use patchbay_shared::ids::{AgentId, CallId, ClientId};
use patchbay_shared::variables::CALLER_NUMBER;
use patchbay_shared::{AppError, Phone};
use patchbay_workspaces::server as workspaces;

/// What answering may do, once the signature was right.
const CALL: Machine = Machine {
    name: "incoming call",
    actions: &[Action::UseConnections, Action::ReadWorkshop, Action::ReplayQueues, Action::ManageClients],
};
/// After so many seconds without an answer from the voice service the caller is not kept waiting any longer.
const WAITS: i64 = 8;
/// What the caller of a number hears that is none of ours.
const NOT_IN_SERVICE: &str = "The number you have called is not in service.";

/// What the carrier hears.
pub(crate) enum Answered {
    Xml(String),
    /// Unknown address or bad signature.
    Rejected,
    TryLater,
}

pub(crate) async fn answer(db: Db, asked: Asked) -> Answered {
    let genuine = match door::check(&db, &asked).await {
        Ok(Some(genuine)) => genuine,
        Ok(None) | Err(AppError::NotFound | AppError::Conflict(..)) => return count("rejected", Answered::Rejected),
        Err(error) => {
            tracing::warn!(workspace = %asked.workspace, cause = %error, "a call could not be answered");
            return count("try_later", Answered::TryLater);
        }
    };
    let trunk = asked.account.trunk();
    let Some(call) = IncomingCall::read(trunk, &asked.body) else {
        return count("unreadable", Answered::Xml(said(NOT_IN_SERVICE, None).xml(trunk)));
    };
    let scope = Scope::of_incoming_call(db, asked.workspace, CALL);
    let reply = reply(&scope, asked.account, genuine.mode, &call).await.unwrap_or_else(|error| {
        tracing::error!(workspace = %asked.workspace, cause = %error, "answering a call failed");
        said(UNAVAILABLE, None)
    });
    let word = if matches!(reply, Reply::Connect { .. }) { "connected" } else { "said" };
    count(word, Answered::Xml(reply.xml(trunk)))
}

fn count(answer: &'static str, answered: Answered) -> Answered {
    metrics::counter!("patchbay_incoming_calls_total", "answer" => answer).increment(1);
    answered
}

/// What is decided about a call before anybody is asked.
struct Decided {
    number: CalledNumber,
    client: Option<ClientId>,
    caller: Option<Caller>,
    agent: Result<(AgentId, CallableAgent), (MissedReason, Option<AgentId>)>,
}

/// The number, if it is one of the account that asks.
async fn called(tx: &mut ReadTx, account: Account, call: &IncomingCall) -> Result<Option<CalledNumber>, AppError> {
    let now = tx.now().await?;
    let Some(to) = Phone::from_e164(&call.to) else { return Ok(None) };
    let found = answering::called(tx, to.as_str(), now).await?;
    Ok(found.filter(|number| number.account == account.own()))
}

/// `mode`: what the account is connected as, if it is the agency's own.
async fn reply(scope: &Scope, account: Account, mode: Option<Mode>, call: &IncomingCall) -> Result<Reply, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    if let Some(known) = incoming::find(tx.reading(), &call.call_id).await? {
        drop(tx);
        return again(scope, account, call, &known).await;
    }
    let Some(number) = called(tx.reading(), account, call).await? else {
        tracing::info!(workspace = %scope.workspace_id(), "a call came in to a number that is not in the list");
        return Ok(said(NOT_IN_SERVICE, None));
    };
    drop(tx);
    let mut decided = decide(scope, number, &call.from).await?;
    let id = CallId::new();
    let mut tx = scope.write(Action::ReplayQueues).await?;
    // Counted where the call is written down: of two that ring at once only one gets the last line.
    if let Ok((agent, _)) = &decided.agent
        && !has_line(&mut tx).await?
    {
        decided.agent = Err((MissedReason::NoLine, Some(*agent)));
    }
    if !write_down(&mut tx, id, call, &decided).await? {
        drop(tx);
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let known = incoming::find(&mut tx, &call.call_id).await?.ok_or(AppError::NotFound)?;
        drop(tx);
        return again(scope, account, call, &known).await;
    }
    tx.commit().await?;
    let (_, agent) = match &decided.agent {
        Ok(agent) => agent,
        Err((reason, _)) => return Ok(said(words(&decided.number, *reason), None)),
    };
    let language = Some(agent.language.clone());
    if let Some(mode) = mode
        && let Some(obstacle) = trunks::obstacle(scope, account.trunk(), mode).await?
    {
        return fail(scope, id, &decided.number, language, &obstacle).await;
    }
    let voice = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(error) => return fail(scope, id, &decided.number, language, &error.to_string()).await,
    };
    let mut all = variables(&decided, call);
    earlier::put(&mut all, told(scope, &decided, agent).await?);
    let request = voice::request(scope, id, agent, Line::Joined { trunk: account.line() }, all);
    match voice::ask(&voice, request).await {
        AskedVoice::Made(made) => match made.join_url.clone() {
            Some(join_url) => {
                placed(scope, id, &made.id).await?;
                connections::mark_working(scope, voice.name()).await?;
                Ok(Reply::Connect { join_url })
            }
            None => {
                placed(scope, id, &made.id).await?;
                fail(scope, id, &decided.number, language, "The voice service did not say where the call is joined.")
                    .await
            }
        },
        AskedVoice::Unknown(why) => {
            tracing::info!(call_id = %id, cause = %why, "the carrier is told to ask again");
            Ok(Reply::AskAgain { url: account.answer_url(scope) })
        }
        AskedVoice::Refused(error) => {
            if error.kind == patchbay_providers::Kind::Credentials {
                connections::mark_failing(scope, error.provider, &error.sentence()).await?;
            }
            fail(scope, id, &decided.number, language, &error.sentence()).await
        }
    }
}

/// The carrier asks about a call that is known: nobody is asked for a second time.
async fn again(scope: &Scope, account: Account, call: &IncomingCall, known: &Incoming) -> Result<Reply, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let now = tx.now().await?;
    let number = called(&mut tx, account, call).await?;
    drop(tx);
    let Some(number) = number else { return Ok(said(NOT_IN_SERVICE, None)) };
    // Whoever was on the line once is not joined a second time: a request that is sent again must not let anybody listen.
    if known.is_joined || known.is_over {
        return Ok(said(words(&number, known.missed_reason.unwrap_or(MissedReason::CallerLeft)), None));
    }
    let voice: Arc<dyn VoiceProvider> = match connections::voice(scope).await {
        Ok(voice) => voice,
        Err(error) => return fail(scope, known.id, &number, None, &error.to_string()).await,
    };
    let found = match &known.provider_call_id {
        Some(known) => voice.get_call(known).await.map(Some),
        None => voice::find(&voice, known.id).await,
    };
    let waited = known.asked_at.map_or(WAITS, |asked| (now - asked).num_seconds());
    match found {
        Ok(Some(made)) if made.joined.is_none() && made.ended.is_none() => {
            placed(scope, known.id, &made.id).await?;
            match made.join_url {
                Some(join_url) => Ok(Reply::Connect { join_url }),
                None => {
                    fail(scope, known.id, &number, None, "The voice service did not say where the call is joined.")
                        .await
                }
            }
        }
        Ok(Some(_)) => Ok(said(number.fallback_words(), None)),
        Ok(None) | Err(_) if waited < WAITS => Ok(Reply::AskAgain { url: account.answer_url(scope) }),
        Ok(None) => fail(scope, known.id, &number, None, "The voice service did not take the call in time.").await,
        Err(error) => fail(scope, known.id, &number, None, &error.sentence()).await,
    }
}

/// Checks everything at this moment, and looks up who is calling.
async fn decide(scope: &Scope, number: CalledNumber, from: &str) -> Result<Decided, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let agent_id = match number.answers {
        Some(Answers::Agent(agent)) => Some(agent),
        _ => None,
    };
    let agents_client = match agent_id {
        Some(agent) => answering::client_of(&mut tx, agent).await?,
        None => None,
    };
    let client = number.client.or(agents_client);
    let caller = match (client, Phone::from_e164(from)) {
        (Some(client), Some(phone)) => caller(&mut tx, client, phone.as_str()).await?,
        _ => None,
    };
    let missed = |reason| Err((reason, agent_id));
    let agent = match (number.answers, client) {
        (None | Some(Answers::Nobody), _) => missed(MissedReason::NoAgent),
        _ if workspaces::is_suspended(&mut tx).await? => missed(MissedReason::Suspended),
        (_, Some(client)) if !is_active(&mut tx, client).await? => missed(MissedReason::Archived),
        (Some(Answers::Closed), _) => missed(MissedReason::OutOfHours),
        (Some(Answers::Agent(_)), None) => missed(MissedReason::NoAgent),
        (Some(Answers::Agent(agent)), Some(client)) => match agents::ready_to_call(&mut tx, agent, client).await {
            Ok(callable) => {
                drop(tx);
                match has_budget(scope, client).await? {
                    true => Ok((agent, callable)),
                    false => missed(MissedReason::Budget),
                }
            }
            Err(AppError::Conflict(..) | AppError::NotFound) => missed(MissedReason::NotReady),
            Err(error) => return Err(error),
        },
    };
    Ok(Decided { number, client, caller, agent })
}

async fn is_active(tx: &mut ReadTx, client: ClientId) -> Result<bool, AppError> {
    Ok(patchbay_clients::server::get(tx, client).await?.status == ClientStatus::Active)
}

/// Whether the agency's plan has a line left for one more call. The lines are locked until the commit.
pub(super) async fn has_line(tx: &mut WriteTx) -> Result<bool, AppError> {
    let home = workspaces::lock_capacity(tx).await?;
    Ok(patchbay_calls::server::lines_in_use(tx.reading()).await? < home.granted)
}

pub(super) async fn has_budget(scope: &Scope, client: ClientId) -> Result<bool, AppError> {
    // The month may not have been added up: then it is, and asked about once more.
    for _ in 0..2 {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let headroom = budget::headroom(&mut tx, client).await?;
        drop(tx);
        match headroom {
            Headroom::Free => return Ok(true),
            Headroom::Spent => return Ok(false),
            Headroom::Unknown => budget::add_up(scope, client).await?,
        }
    }
    Ok(true)
}

/// False: another request about the same call was quicker.
async fn write_down(tx: &mut WriteTx, id: CallId, call: &IncomingCall, decided: &Decided) -> Result<bool, AppError> {
    let (agent_id, callable, missed) = match &decided.agent {
        Ok((agent, callable)) => (Some(*agent), Some(callable), None),
        Err((reason, agent)) => (*agent, None, Some(*reason)),
    };
    let new = NewIncoming {
        id,
        carrier_call_id: call.call_id.clone(),
        from: Phone::from_e164(&call.from).map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        to: call.to.clone(),
        client_id: decided.client,
        agent_id,
        contact_id: decided.caller.as_ref().map(|caller| caller.id),
        contact_name: decided.caller.as_ref().map(|caller| caller.name.clone()).unwrap_or_default(),
        prompt_id: callable.and_then(|callable| callable.prompt_id),
        prompt_version: callable.map(|callable| callable.prompt_version),
    };
    if !incoming::insert(tx, &new, missed).await? {
        return Ok(false);
    }
    if missed.is_none() {
        enqueue(tx, &SettleCall { call: id }, NewJob { run_at: Some(Utc::now() + super::jobs::AFTER) }).await?;
    }
    Ok(true)
}

async fn placed(scope: &Scope, id: CallId, provider_call_id: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    dialled::mark_placed(&mut tx, id, provider_call_id).await?;
    tx.commit().await
}

/// Nobody comes to the line after all.
async fn fail(
    scope: &Scope,
    id: CallId,
    number: &CalledNumber,
    language: Option<String>,
    why: &str,
) -> Result<Reply, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    incoming::end_missed(&mut tx, id, MissedReason::Failed, Some(why)).await?;
    tx.commit().await?;
    Ok(said(number.fallback_words(), language))
}

fn words(number: &CalledNumber, reason: MissedReason) -> &str {
    if reason == MissedReason::OutOfHours { number.closed_words() } else { number.fallback_words() }
}

fn said(words: &str, language: Option<String>) -> Reply {
    // Sentences of ours are English, whatever the agent speaks.
    let is_ours = [NOT_IN_SERVICE, UNAVAILABLE, CLOSED].contains(&words);
    Reply::Say { words: words.to_owned(), language: if is_ours { Some("en-US".to_owned()) } else { language } }
}

/// What the agent is told of earlier calls with whoever calls.
async fn told(scope: &Scope, decided: &Decided, agent: &CallableAgent) -> Result<Option<String>, AppError> {
    let Some(client) = decided.client else { return Ok(None) };
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    earlier::with(&mut tx, client, decided.caller.as_ref().map(|caller| caller.id), agent.memory()).await
}

/// What the prompt's variables stand for: who is calling, as far as it is known.
fn variables(decided: &Decided, call: &IncomingCall) -> serde_json::Value {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut put = |name: &str, value: &str| {
        all.insert(name.to_owned(), value.to_owned());
    };
    let name = decided.caller.as_ref().map(|caller| caller.name.as_str()).unwrap_or_default();
    put("contact_name", name);
    put("first_name", name.split_whitespace().next().unwrap_or_default());
    put("company", decided.caller.as_ref().and_then(|caller| caller.company.as_deref()).unwrap_or_default());
    put("email", decided.caller.as_ref().and_then(|caller| caller.email.as_deref()).unwrap_or_default());
    put(CALLER_NUMBER, &call.from);
    all.extend(decided.caller.iter().flat_map(|caller| caller.attributes.clone()));
    serde_json::json!(all)
}
