//! The run itself: the agent hears the input once, uses its tools, and answers.

use std::time::Duration;

use async_trait::async_trait;
use rust_decimal::Decimal;

use super::jobs::RunAgent;
use super::{starting, store};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_agent_loop::{self as agent_loop, Ended, Other, Plan, Stop, Watch};
use patchbay_jobs::queue::held_before;
use patchbay_jobs::runner::Verdict;
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_prompts::model::variables;
use patchbay_prompts::server as prompts;
use patchbay_runs::server::{self as runs, Progress};
use patchbay_shared::AppError;

/// The longest that a run may take.
const LONGEST: Duration = Duration::from_secs(180);
/// Runs of an agency at once: the workers are there for all agencies.
const AT_ONCE: i64 = 4;
/// After which a run asks again whether it is its turn.
const TURN: Duration = Duration::from_secs(3);
const CUT_OFF: &str = "Patchbay was stopped in the middle of this run. It was not begun anew, because its tools may have done something already.";
const NOT_ASKED: &str = "Patchbay failed here before the agent was asked. Run it again.";
const LOST: &str = "The work on this run was lost before its end. What its tools had done by then stays done.";

/// Nobody has set such a run a budget: it is one answer, and the loop ends tools that go round in circles.
struct Unwatched;

#[async_trait]
impl Watch for Unwatched {
    async fn may_go_on(&self, _: &mut ReadTx) -> Result<Option<Stop>, AppError> {
        Ok(None)
    }

    async fn paid(&self, _: &mut WriteTx, _: Option<Decimal>) -> Result<(), AppError> {
        Ok(())
    }
}

/// Does a run when its turn comes, unless it has ended. One that a lost worker had begun is ended. Errors: what passes; trying again is safe.
pub(super) async fn run(scope: &Scope, job: &RunAgent) -> Result<Verdict, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (progress, before) = (runs::progress(&mut tx, job.run).await?, held_before(&mut tx, job).await?);
    drop(tx);
    let (failure, is_fault) = match progress {
        Progress::Ended => return Ok(Verdict::Done),
        Progress::Begun => (Some(CUT_OFF.to_owned()), false),
        Progress::Waiting if before >= AT_ONCE => return Ok(Verdict::Later(TURN)),
        Progress::Waiting => match talk(scope, job).await {
            Ok(ended) => ended,
            // Nothing was asked yet, and a person can have it run again. A job that tries for hours would leave it running.
            Err(error) => {
                tracing::error!(run_id = %job.run, cause = %error, "a run failed before its agent was asked");
                (Some(NOT_ASKED.to_owned()), false)
            }
        },
    };
    agent_loop::end(scope, job.agent, job.run, failure.as_deref(), is_fault).await?;
    Ok(Verdict::Done)
}

/// Ends runs for which no job is there any more: it was set aside, or given up.
pub(super) async fn end_lost(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let lost = store::lost_runs(tx.reading()).await?;
    drop(tx);
    for (run, agent) in lost {
        tracing::warn!(run_id = %run, "a run had no job, and is ended as failed");
        agent_loop::end(scope, agent, run, Some(LOST), false).await?;
    }
    Ok(())
}

/// What failed, and whether a service did.
async fn talk(scope: &Scope, job: &RunAgent) -> Result<(Option<String>, bool), AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (_, reason) = starting::look(&mut tx, job.agent).await?;
    if reason.is_some() {
        return Ok((reason, false));
    }
    let (_, template) = prompts::words(&mut tx, job.prompt, job.version).await?;
    let missing: Vec<String> =
        variables(&template).into_iter().filter(|name| !job.variables.contains_key(name)).collect();
    if !missing.is_empty() {
        return Ok((Some(without_values(&missing, job.version)), false));
    }
    let model = models::in_use(&mut tx, Purpose::Agent, Some(job.agent)).await?;
    drop(tx);
    let Some((connection, model)) = model else { return Ok((Some(models::not_set_up().to_string()), false)) };
    let plan = Plan {
        agent: job.agent,
        prompt: job.prompt,
        version: job.version,
        connection,
        model,
        variables: job.variables.clone(),
        stubs: Default::default(),
        uses_tools: true,
        other: Other::Message(job.input.clone()),
        longest: LONGEST,
        run: job.run,
        title: job.title.clone(),
        started_by: job.started_by,
    };
    let held = match agent_loop::hold(scope, &plan, &Unwatched).await {
        Ok(held) => held,
        Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
        Err(AppError::NotFound) => {
            return Ok((Some("The account of the model is not there any more. Choose another one.".to_owned()), false));
        }
        // An account that is off, a workspace that was suspended meanwhile.
        Err(other) => return Ok((Some(other.to_string()), false)),
    };
    Ok(match held.ended {
        Ended::Over => (None, false),
        Ended::Stopped(stop) => (Some(stop.sentence().to_owned()), false),
        Ended::Failed(why) => (Some(why), true),
    })
}

fn without_values(missing: &[String], version: i32) -> String {
    let names: Vec<String> = missing.iter().take(5).map(|name| format!("{{{{{name}}}}}")).collect();
    let more = if missing.len() > 5 { " and others" } else { "" };
    format!(
        "Version {version} of the prompt asks for {}{more}, and nothing gives a value. Add it to the schedule’s values, or to what is sent.",
        names.join(", ")
    )
}
