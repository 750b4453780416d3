//! A team as a tool of an agent: asked on a live call or in a test, and waited for a while.

use std::time::{Duration, Instant};

use super::runs::{self, NewRun};
use super::store::{runs as store, teams};
use crate::model::RunSource;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, SessionId, SupervisorRunId, TeamId};
use patchbay_tools::server::{TeamAnswer, TeamQuestion};

/// How often a run that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Teams for a tool's form.
pub async fn choices(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(TeamId, String)>, AppError> {
    teams::choices(tx, client).await
}

/// Asks a team, and waits for its answer as long as the question says. What is asked on one call, or in one run of an agent, is one
/// conversation: while the team is still at work on what was asked before, or its answer was not given yet, nothing is asked anew.
pub async fn ask(scope: &Scope, question: TeamQuestion) -> Result<TeamAnswer, AppError> {
    let until = Instant::now() + question.wait;
    let mut tx = scope.write(Action::RunTeams).await?;
    let team = match teams::get(tx.reading(), question.team).await {
        Err(AppError::NotFound) => return Ok(TeamAnswer::Refused("The team is not there any more.".to_owned())),
        other => other?,
    };
    if team.fields.client.is_some() && team.fields.client != question.client {
        return Ok(TeamAnswer::Refused("The team works for another client, so it was not asked.".to_owned()));
    }
    let of = match (question.call, question.run) {
        (Some(call), _) => Some(format!("call {call} {}", question.team)),
        (None, Some(run)) => Some(format!("agent run {run} {}", question.team)),
        (None, None) => None,
    };
    let session = match of {
        Some(of) => Some(SessionId(store::key(tx.reading(), &of).await?)),
        None => None,
    };
    let former = match session {
        Some(session) => store::newest(tx.reading(), session).await?,
        None => None,
    };
    let former = match former {
        Some(former) => Some(store::get(tx.reading(), former).await?).filter(|run| !run.is_over() || !run.is_told),
        None => None,
    };
    let (run, other) = match former {
        Some(former) => (former.id, Some(former.message).filter(|message| message.trim() != question.request.trim())),
        None => {
            let new = NewRun {
                session,
                source: RunSource::Tool,
                key: Some(question.invocation.0),
                call: question.call,
                client: question.client,
                ..NewRun::of(question.team, question.request)
            };
            match runs::ask(&mut tx, new).await {
                Ok(run) => (run, None),
                Err(AppError::Conflict(_, why)) => return Ok(TeamAnswer::Refused(why)),
                Err(error @ AppError::Invalid(_)) => return Ok(TeamAnswer::Refused(error.to_string())),
                Err(error) => return Err(error),
            }
        }
    };
    tx.commit().await?;
    let answer = waited_for(scope, run, until).await?;
    Ok(match other {
        Some(other) => about(&other, answer),
        None => answer,
    })
}

/// An answer to something that was asked before what is asked now.
fn about(other: &str, answer: TeamAnswer) -> TeamAnswer {
    let other: String = other.chars().take(200).collect();
    let so = |text: String| {
        format!(
            "This is the team’s answer to “{other}”: {text} What you asked now was not given to it. If it is something else, ask it again."
        )
    };
    match answer {
        TeamAnswer::Said(text) => TeamAnswer::Said(so(text)),
        TeamAnswer::AskedBack(text) => TeamAnswer::AskedBack(text),
        TeamAnswer::Failed(why) => TeamAnswer::Failed(so(why)),
        TeamAnswer::GoesOn => TeamAnswer::Said(format!(
            "The team is still at work on “{other}”. What you asked now was not given to it. Ask again later."
        )),
        refused @ TeamAnswer::Refused(_) => refused,
    }
}

async fn waited_for(scope: &Scope, run: SupervisorRunId, until: Instant) -> Result<TeamAnswer, AppError> {
    loop {
        let mut tx = scope.read(Action::RunTeams).await?;
        let found = store::get(&mut tx, run).await?;
        drop(tx);
        if found.is_over() {
            let mut tx = scope.write(Action::RunTeams).await?;
            store::tell(&mut tx, run).await?;
            tx.commit().await?;
            let output = found.output.unwrap_or_default();
            return Ok(match found.failure {
                Some(why) if output.is_empty() => TeamAnswer::Failed(why),
                Some(why) => TeamAnswer::Failed(format!("{why} Until then this was done: {output}")),
                None if found.asked_back => TeamAnswer::AskedBack(output),
                None => TeamAnswer::Said(output),
            });
        }
        if Instant::now() >= until {
            return Ok(TeamAnswer::GoesOn);
        }
        tokio::time::sleep(LOOK).await;
    }
}
