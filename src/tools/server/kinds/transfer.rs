//! Giving the caller to a person. Who can be rung is fixed; ringing itself is done by whoever keeps calls, by a hook.

use super::{Ask, Done};
use crate::model::{Destination, Origin, ToolConfig, Transfer};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{CallId, ToolInvocationId};
use patchbay_shared::text::one_line;
use patchbay_shared::{AppError, FieldErrors, Phone};

/// The most of a reason that is kept, in characters.
const LONGEST_REASON: usize = 300;

/// Who is to be rung for a call.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub call: CallId,
    /// The use of the tool: nobody is rung twice for the same one.
    pub invocation: ToolInvocationId,
    /// Name and number, the first one first; the others when nobody answers.
    pub people: Vec<(String, String)>,
    pub ring_seconds: u32,
    pub reason: String,
}

/// What came of wanting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The phone of this one rings, or is about to.
    Rings(String),
    /// Nobody is rung, and why: a sentence that the model reads.
    Refused(String),
}

/// Hook: rings a person for a call that goes on. What becomes of it, the agent is told on the call.
pub struct TransferCall(pub for<'a> fn(&'a Scope, Wanted) -> HookFuture<'a, Begun>);

pub(super) async fn run(ask: &Ask<'_>, config: &Transfer) -> Result<Done, AppError> {
    let name = ask.text("destination");
    let Some(first) = config.destinations.iter().position(|one| one.name == name) else {
        return Ok(Done::failed("There is nobody of this name. Choose one of the names that are given."));
    };
    let mut tx = ask.scope.read(Action::ReadWorkshop).await?;
    let now = tx.now().await? + tx.services().clock.ahead();
    // The agency's zone: on a call it is a machine that asks, which has none of its own.
    let (_, zone) = patchbay_workspaces::server::rules::name_and_zone(&mut tx).await?;
    let local = now.with_timezone(&patchbay_shared::zone::zone(&zone)).naive_local();
    drop(tx);
    // From the chosen one on, and the ones before it are not gone back to.
    let wanted = &config.destinations[first..if config.goes_on { config.destinations.len() } else { first + 1 }];
    let is_open = |one: &&Destination| one.hours.as_ref().is_none_or(|hours| hours.is_open(local));
    let people: Vec<(String, String)> =
        wanted.iter().filter(is_open).map(|one| (one.name.clone(), one.number.clone())).collect();
    if people.is_empty() {
        let hours = config.destinations[first].hours.as_ref().map(|hours| hours.text()).unwrap_or_default();
        return Ok(Done::failed(format!(
            "{name} is not rung at this hour ({hours} only). Tell the caller, and offer to take a message."
        )));
    }
    let (Origin::Call, Some(call)) = (ask.invocation.origin, ask.invocation.call) else {
        return Ok(Done::said(format!("{} would be rung now. This is no telephone call, so nobody was.", people[0].0)));
    };
    let reason: String = one_line(&ask.text("reason")).chars().take(LONGEST_REASON).collect();
    let shown = format!("Ring {} at {} for {} seconds", people[0].0, people[0].1, config.ring_seconds);
    let hook = ask.scope.services().hooks.get::<TransferCall>()?;
    let wanted = Wanted { call, invocation: ask.id, people, ring_seconds: config.ring_seconds, reason };
    Ok(match (hook.0)(ask.scope, wanted).await? {
        Begun::Rings(name) => Done {
            request: Some(shown),
            ..Done::said(format!(
                "{name} is being rung, for up to {} seconds. Say to the caller: “{}” Then wait with them. When {name} answers, they are joined and \
                 you leave the call by yourself. When nobody answers, you are told so and go on. Do not use this tool again meanwhile.",
                config.ring_seconds, config.words
            ))
        },
        Begun::Refused(why) => Done::failed(why),
    })
}

/// Numbers as the rest of the product dials them. Errors: `Invalid` at the field.
pub(crate) fn settle(config: &mut ToolConfig) -> Result<(), AppError> {
    let ToolConfig::Transfer(transfer) = config else { return Ok(()) };
    let mut errors = FieldErrors::default();
    for one in &mut transfer.destinations {
        match Phone::parse(&one.number, None) {
            Ok(phone) => one.number = phone.as_str().to_owned(),
            Err(why) => errors.add("destinations", format!("{}: {why}", one.name)),
        }
    }
    errors.check()
}
