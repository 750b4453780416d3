//! The work of a run: a few cases at a time, each a conversation, what was looked at in it, and what it cost.

use std::time::{Duration, Instant};

use futures::future::join_all;
use rust_decimal::Decimal;

use super::purse::{MOST_UNPRICED, Purse};
use super::store::results::Ended;
use super::store::{self, Case, grids, results, runs};
use super::{judge, matching, running};
use crate::model::{By, CaseKind, Check, Line, Matcher, SuiteStatus, TestResult};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_agent_loop::{self as agent_loop, Asker, Halt, Held, Other, Persona, Plan, Said, Spent, Stop};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::Verdict;
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_prompts::model::variables;
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{RunId, SuiteRunId, TestCaseId, TestRunId};
use patchbay_shared::{AppError, Reason};

/// Cases that are run beside each other.
const AT_ONCE: i64 = 3;
/// Cells of one grid that somebody is at at the same time: what else is to do keeps its turns.
const CELLS_AT_ONCE: i64 = 4;
/// When a cell looks again whether it is its turn.
const TURN: Duration = Duration::from_secs(2);
/// The longest conversation of a case, and the longest that its judge takes.
const LONGEST: Duration = Duration::from_secs(180);
const JUDGE: Duration = Duration::from_secs(60);

/// Runs the next few cases. Safe to do twice: what a lost worker had begun is begun anew.
pub(super) async fn portion(scope: &Scope, id: SuiteRunId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    grids::lock_of_run(&mut tx, id).await?;
    let run = runs::lock(&mut tx, id).await?;
    if run.status != SuiteStatus::Running {
        // What a lost worker had begun when somebody stopped the run.
        let lost = results::abandon(&mut tx, id).await?;
        tx.commit().await?;
        for result in lost {
            match agent_loop::end(scope, run.agent, RunId(result.0), Some(Stop::Stopped.sentence()), false).await {
                Err(AppError::NotFound) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(Verdict::Done);
    }
    results::put_back(&mut tx, id).await?;
    if let Some(grid) = run.grid
        && grids::busy(tx.reading(), grid, id).await? >= CELLS_AT_ONCE
    {
        tx.commit().await?;
        return Ok(Verdict::Later(TURN));
    }
    let taken = results::take(&mut tx, id, AT_ONCE).await?;
    if taken.is_empty() {
        running::end(&mut tx, id, &run, SuiteStatus::Done, None).await?;
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    notify(&mut tx, id, &run);
    tx.commit().await?;
    let ended =
        join_all(taken.iter().map(|(result, case, edition)| one(scope, id, &run, *result, (*case, *edition)))).await;
    let mut stopped = None;
    for ((result, ..), stop) in taken.iter().zip(ended) {
        match stop {
            Ok(stop) => stopped = stopped.or(stop),
            // Tried again it would cost again, and use tools again.
            Err(error) => {
                tracing::error!(result = %result, cause = %error, "a case of a test run broke");
                let why = "Patchbay failed here. Run the case again.";
                let mut tx = scope.write(Action::ManageAgents).await?;
                results::finish(&mut tx, *result, &broken(why.to_owned())).await?;
                tx.commit().await?;
                agent_loop::end(scope, run.agent, RunId(result.0), Some(why), false).await?;
            }
        }
    }
    let Some(stop) = stopped else { return Ok(Verdict::Later(Duration::ZERO)) };
    let mut tx = scope.write(Action::ManageAgents).await?;
    grids::lock_of_run(&mut tx, id).await?;
    let spent = runs::lock(&mut tx, id).await?;
    let status = match stop {
        Stop::OverBudget => SuiteStatus::OverBudget,
        _ => SuiteStatus::Failed,
    };
    let note = match stop {
        Stop::OverBudget if spent.unpriced >= MOST_UNPRICED => format!(
            "{MOST_UNPRICED} answers have no price, so the budget says nothing about them. Enter a price of the model, and run the cases again."
        ),
        Stop::OverBudget if run.grid.is_some() => {
            format!("What is left of the grid’s budget of ${} does not pay for the next answer.", run.budget)
        }
        Stop::OverBudget => format!("The budget of ${} was used up before all cases were run.", run.budget),
        other => other.sentence().to_owned(),
    };
    running::end(&mut tx, id, &run, status, Some(&note)).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Says that something has come to an end, or begun.
fn notify(tx: &mut WriteTx, id: SuiteRunId, run: &runs::Work) {
    tx.notify(Topic::one("suite_run", id), None);
    if let Some(grid) = run.grid {
        tx.notify(Topic::one("test_grid", grid), None);
    }
}

/// One case from its beginning to its end. Gives why the whole run may not go on.
async fn one(
    scope: &Scope,
    suite: SuiteRunId,
    run: &runs::Work,
    result: TestRunId,
    (case, edition): (TestCaseId, i32),
) -> Result<Option<Stop>, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let case = store::get(&mut tx, case).await;
    let (_, template) = prompts::words(&mut tx, run.prompt, run.version).await?;
    drop(tx);
    let (ended, stop) = match case {
        Ok(case) if case.edition != edition => {
            (broken("The case was changed while the run went on. Run it again.".to_owned()), None)
        }
        Ok(case) => {
            let missing: Vec<String> =
                variables(&template).into_iter().filter(|name| !case.fields.variables.contains_key(name)).collect();
            match missing.is_empty() {
                true => talked(scope, suite, run, result, &case).await?,
                false => (without_values(&missing, run.version), None),
            }
        }
        Err(AppError::NotFound) => (broken("The case was removed while the run went on.".to_owned()), None),
        Err(error) => return Err(error),
    };
    let mut tx = scope.write(Action::ManageAgents).await?;
    results::finish(&mut tx, result, &ended).await?;
    notify(&mut tx, suite, run);
    tx.commit().await?;
    Ok(stop)
}

fn without_values(missing: &[String], version: i32) -> Ended {
    let names: Vec<String> = missing.iter().take(5).map(|name| format!("{{{{{name}}}}}")).collect();
    let more = if missing.len() > 5 { " and others" } else { "" };
    broken(format!(
        "Version {version} of the prompt asks for {}{more}, and the case gives no value. Add it to the case’s values, or an empty one.",
        names.join(", ")
    ))
}

fn broken(why: String) -> Ended {
    Ended {
        result: TestResult::Error,
        why: Some(why.replace('\0', "\u{fffd}")),
        actual: None,
        checks: Vec::new(),
        transcript: Vec::new(),
        run: None,
        tokens: 0,
        cost: Decimal::ZERO,
        unpriced: 0,
        reply_ms: None,
    }
}

/// The conversation of a case, and what is made of it.
async fn talked(
    scope: &Scope,
    suite: SuiteRunId,
    run: &runs::Work,
    result: TestRunId,
    case: &Case,
) -> Result<(Ended, Option<Stop>), AppError> {
    // The same id each time: what a lost worker had begun goes on in its run.
    let (fields, agent_run, watch) = (&case.fields, RunId(result.0), Purse { run: suite, result, grid: run.grid });
    let other = match fields.kind {
        CaseKind::Message => Other::Message(fields.input.clone()),
        CaseKind::Conversation => Other::Caller(Persona {
            goal: fields.input.clone(),
            mood: fields.mood.clone(),
            language: fields.language.clone(),
            most_turns: fields.most_turns.unsigned_abs(),
        }),
    };
    let plan = Plan {
        agent: run.agent,
        prompt: run.prompt,
        version: run.version,
        connection: run.connection,
        model: run.model.clone(),
        variables: fields.variables.clone(),
        stubs: fields.stubs.clone(),
        uses_tools: fields.uses_tools,
        other,
        longest: LONGEST,
        run: agent_run,
        title: format!("{}, test run {}", fields.name, run.number),
        started_by: run.started_by,
    };
    let held = match agent_loop::hold(scope, &plan, &watch).await {
        Ok(held) => held,
        Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
        Err(AppError::Conflict(Reason::Suspended, _)) => {
            let (mut ended, mut stop) = (broken(String::new()), None);
            halted(&mut ended, Stop::Suspended, &mut stop);
            return Ok((ended, stop));
        }
        Err(AppError::NotFound) => {
            return Ok((broken("The account of the model is not there any more.".to_owned()), None));
        }
        // An account that is off, a model that is not set up.
        Err(other) => return Ok((broken(other.to_string()), None)),
    };
    let (mut ended, stop) = looked_at(scope, run, case, &watch, agent_run, &held).await?;
    ended.run = Some(agent_run.0);
    let failure = match ended.result {
        TestResult::Pass | TestResult::Fail => None,
        _ => ended.why.as_deref(),
    };
    let is_fault = matches!(held.ended, agent_loop::Ended::Failed(_));
    agent_loop::end(scope, run.agent, agent_run, failure, is_fault).await?;
    Ok((ended, stop))
}

async fn looked_at(
    scope: &Scope,
    run: &runs::Work,
    case: &Case,
    watch: &Purse,
    agent_run: RunId,
    held: &Held,
) -> Result<(Ended, Option<Stop>), AppError> {
    let fields = &case.fields;
    let transcript: Vec<Line> = held.turns.iter().map(line).collect();
    let words: Vec<&str> =
        transcript.iter().filter(|line| line.by == By::Agent).map(|line| line.text.as_str()).collect();
    let actual = words.join("\n");
    let mut replies = held.replies.clone();
    replies.sort_unstable();
    let mut ended = Ended {
        result: TestResult::Error,
        why: None,
        actual: Some(actual.clone()),
        checks: Vec::new(),
        transcript,
        run: None,
        tokens: 0,
        cost: Decimal::ZERO,
        unpriced: 0,
        reply_ms: replies.get(replies.len() / 2).map(|ms| i32::try_from(*ms).unwrap_or(i32::MAX)),
    };
    let mut spent = held.spent;
    let mut stop = None;
    match &held.ended {
        agent_loop::Ended::Over => {
            ended.checks = matching::tools(&fields.tool_checks, &ended.transcript);
            let found = match matching::words(fields.matcher, &fields.expected, &actual) {
                Some(checks) => Ok(checks),
                None => judged(scope, run, case, watch, agent_run, &ended.transcript, &mut spent).await,
            };
            match found {
                Ok(checks) => {
                    // What was said stands before what was done.
                    let tools = std::mem::replace(&mut ended.checks, checks);
                    ended.checks.extend(tools);
                    let failed: Vec<&Check> = ended.checks.iter().filter(|check| !check.is_met).collect();
                    ended.result = if failed.is_empty() { TestResult::Pass } else { TestResult::Fail };
                    ended.why = failed.first().map(|check| {
                        let more =
                            if failed.len() > 1 { format!(" And {} more.", failed.len() - 1) } else { String::new() };
                        let why = if check.why.is_empty() { String::new() } else { format!(" {}", check.why) };
                        format!("Not so: {}.{why}{more}", check.what)
                    });
                }
                Err(Halt::Stop(why)) => halted(&mut ended, why, &mut stop),
                Err(Halt::Failed(why)) => ended.why = Some(format!("The judge did not answer. {why}")),
            }
        }
        agent_loop::Ended::Stopped(why) => halted(&mut ended, *why, &mut stop),
        agent_loop::Ended::Failed(why) => ended.why = Some(why.clone()),
    }
    ended.why = ended.why.map(|why| why.replace('\0', "\u{fffd}"));
    ended.tokens = i32::try_from(spent.tokens).unwrap_or(i32::MAX);
    ended.cost = spent.cost;
    ended.unpriced = i32::try_from(spent.unpriced).unwrap_or(i32::MAX);
    Ok((ended, stop))
}

/// A conversation that may not go on: of the whole run, but where only its own time is up.
fn halted(ended: &mut Ended, why: Stop, stop: &mut Option<Stop>) {
    ended.why = Some(why.sentence().to_owned());
    match why {
        Stop::Late => ended.result = TestResult::Error,
        // The run has ended already.
        Stop::Stopped => ended.result = TestResult::LeftOut,
        other => {
            ended.result = TestResult::LeftOut;
            *stop = Some(other);
        }
    }
}

fn line(turn: &agent_loop::Turn) -> Line {
    let by = match turn.by {
        Said::Caller => By::Caller,
        Said::Agent => By::Agent,
        Said::Tool => By::Tool,
    };
    let used = turn.tool.as_ref();
    Line {
        by,
        text: turn.text.clone(),
        tool: used.map(|used| used.name.clone()),
        arguments: used.map(|used| used.arguments.clone()),
        is_error: used.is_some_and(|used| used.is_error),
        is_stubbed: used.is_some_and(|used| used.is_stubbed),
    }
}

/// Has the judge decide. What it takes is added to `spent`.
async fn judged(
    scope: &Scope,
    run: &runs::Work,
    case: &Case,
    watch: &Purse,
    agent_run: RunId,
    transcript: &[Line],
    spent: &mut Spent,
) -> Result<Vec<Check>, Halt> {
    debug_assert_eq!(case.fields.matcher, Matcher::Judge);
    let chosen = models::chosen(scope, Purpose::Judge, None).await?;
    let mut asker =
        Asker { scope, watch, agent: run.agent, run: agent_run, until: Instant::now() + JUDGE, spent: *spent };
    let asked = asker.ask(&chosen, Purpose::Judge, judge::request(&case.fields.expected, transcript)).await;
    *spent = asker.spent;
    let ruling: judge::Ruling = asked?.answer.parse_json().map_err(|error| Halt::Failed(error.sentence()))?;
    let why: String = ruling.reason.replace('\0', "\u{fffd}").chars().take(2000).collect();
    Ok(vec![Check { what: "the judge finds the rubric met".to_owned(), is_met: ruling.passes, why }])
}
