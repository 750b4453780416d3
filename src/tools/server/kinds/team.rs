//! Handing work to a team. Teams stand above tools: they are asked by a hook.

use std::time::Duration;

use super::{Ask, Done};
use crate::model::{Team, ToolConfig};
use patchbay_access::server::{ReadTx, Scope};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, RunId, TeamId, ToolInvocationId};

/// What is left of a use's time once a team was waited for.
const REST: Duration = Duration::from_millis(1500);

/// Work for a team.
#[derive(Debug, Clone)]
pub struct TeamQuestion {
    pub team: TeamId,
    pub request: String,
    /// For whom the agent works there.
    pub client: Option<ClientId>,
    pub call: Option<CallId>,
    /// A run of the agent that is no call.
    pub run: Option<RunId>,
    /// The same use asks once.
    pub invocation: ToolInvocationId,
    /// How long an answer is waited for.
    pub wait: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamAnswer {
    Said(String),
    /// It wants to know more.
    AskedBack(String),
    Failed(String),
    /// There is no answer yet, and it goes on.
    GoesOn,
    /// It was not asked, and why.
    Refused(String),
}

/// Teams by name.
type Choices<'a> = HookFuture<'a, Vec<(TeamId, String)>>;

/// Hook: teams for the form, and asking one.
pub struct AskTeam {
    /// Those of a client and those of none; all of them, when no client is named.
    pub choices: for<'a> fn(&'a mut ReadTx, Option<ClientId>) -> Choices<'a>,
    pub ask: for<'a> fn(&'a Scope, TeamQuestion) -> HookFuture<'a, TeamAnswer>,
}

pub(super) async fn run(ask: &Ask<'_>, config: &Team) -> Result<Done, AppError> {
    let request = ask.text("request");
    if request.is_empty() {
        return Ok(Done::failed("Say what the team should do."));
    }
    let hook = ask.scope.services().hooks.get::<AskTeam>()?;
    let question = TeamQuestion {
        team: config.team,
        request,
        client: ask.invocation.client,
        call: ask.invocation.call,
        run: ask.invocation.run,
        invocation: ask.id,
        wait: Duration::from_secs(config.wait_seconds.into()).min(ask.left().saturating_sub(REST)),
    };
    Ok(match (hook.ask)(ask.scope, question).await? {
        TeamAnswer::Said(text) => Done::said(text),
        TeamAnswer::AskedBack(text) => {
            Done::said(format!("The team asks back: {text} Find it out, and use this tool again with the answer."))
        }
        TeamAnswer::Failed(why) => Done::failed(format!("The team could not do it. {why}")),
        TeamAnswer::GoesOn => Done::said(
            "The team is working on it, and it takes longer. Say that it is being worked on. Ask again later with this tool whether it is done.",
        ),
        TeamAnswer::Refused(why) => Done::failed(why),
    })
}

/// Errors: `Invalid` at `team` for one that an agent of this client may not ask.
pub(crate) async fn check(tx: &mut ReadTx, config: &ToolConfig, client: Option<ClientId>) -> Result<(), AppError> {
    let ToolConfig::Team(config) = config else { return Ok(()) };
    if choices(tx, client).await?.iter().any(|(id, _)| *id == config.team) {
        return Ok(());
    }
    Err(AppError::invalid("team", "Choose a team from the list."))
}

/// Teams that an agent of this client may ask.
pub(crate) async fn choices(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(TeamId, String)>, AppError> {
    let scope = tx.scope().clone();
    let hook = scope.services().hooks.get::<AskTeam>()?;
    (hook.choices)(tx, client).await
}
