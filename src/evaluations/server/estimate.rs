//! What a grid would ask of models, and what that would cost. An estimate: nobody knows how long a talk will be.

use std::collections::BTreeMap;

use patchbay_providers::chat::ChatUsage;

use super::purse::{LONGEST_ANSWER, most_of};
use super::store::Case;
use crate::model::{CaseKind, Estimate, Matcher, ModelEstimate, NewGrid};
use patchbay_access::server::ReadTx;
use patchbay_models::model::Purpose;
use patchbay_models::server as models;
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{ConnectionId, PromptId};
use patchbay_shared::{AppError, Money};

/// Letters of a token, on average.
const LETTERS: usize = 4;
/// Tokens of one turn of a talk, as it is said on the telephone, and of what a judge writes.
const TURN: u64 = 60;
const RULING: u64 = 150;
/// What a caller's and a judge's model is told beside the talk.
const TASK: u64 = 300;

/// Tokens of several answers.
#[derive(Clone, Copy, Default)]
struct Asked {
    calls: u64,
    read: u64,
    written: u64,
}

impl Asked {
    /// So many answers in a talk that grows with each.
    fn add(&mut self, calls: u64, told: u64, written: u64) {
        self.calls += calls;
        // Before the first answer one turn was said, before the second one three.
        self.read += calls * told + TURN * calls * calls;
        self.written += calls * written;
    }

    fn times(self, times: u64) -> Self {
        Self { calls: self.calls * times, read: self.read * times, written: self.written * times }
    }
}

/// What is asked of the agent's model with one version, and of those that play the caller and judge, for every case once.
struct Work {
    agent: Asked,
    caller: Asked,
    judge: Asked,
}

fn work(template: &str, cases: &[Case]) -> Work {
    let mut work = Work { agent: Asked::default(), caller: Asked::default(), judge: Asked::default() };
    for case in cases {
        let fields = &case.fields;
        let tokens = |text: &str| (text.chars().count() / LETTERS) as u64;
        let turns = match fields.kind {
            CaseKind::Message => 1,
            CaseKind::Conversation => u64::from(fields.most_turns.unsigned_abs()),
        };
        work.agent.add(turns, tokens(template) + tokens(&fields.input), TURN);
        if fields.kind == CaseKind::Conversation {
            work.caller.add(turns, TASK + tokens(&fields.input), TURN);
        }
        if fields.matcher == Matcher::Judge {
            work.judge.add(1, TASK + tokens(&fields.expected) + 2 * TURN * turns, RULING);
        }
    }
    work
}

/// What a grid would ask and cost. `names`: of the accounts.
pub(super) async fn of(
    tx: &mut ReadTx,
    prompt: PromptId,
    new: &NewGrid,
    cases: &[Case],
    names: &BTreeMap<ConnectionId, String>,
) -> Result<Estimate, AppError> {
    let times = u64::from(new.repeats.unsigned_abs());
    let (mut agent, mut caller, mut judge) = (Asked::default(), Asked::default(), Asked::default());
    let both = |one: Asked, other: Asked| Asked {
        calls: one.calls + other.calls,
        read: one.read + other.read,
        written: one.written + other.written,
    };
    for (_, version) in &new.versions {
        let (_, template) = prompts::words(tx, prompt, *version).await?;
        let found = work(&template, cases);
        agent = both(agent, found.agent);
        caller = both(caller, found.caller);
        judge = both(judge, found.judge);
    }
    let name = |id: ConnectionId, model: &str| match names.get(&id) {
        Some(account) => format!("{model} ({account})"),
        None => model.to_owned(),
    };
    let mut rows = Vec::new();
    for (_, connection, model) in &new.models {
        let asked = agent.times(times);
        let cost = cost(tx, *connection, model, asked).await?;
        let what = "The agent".to_owned();
        rows.push(ModelEstimate { what, model: name(*connection, model), calls: asked.calls as i64, cost });
    }
    let every = times * new.models.len() as u64;
    for (what, asked, purpose) in [
        ("The simulated caller", caller.times(every), Purpose::Caller),
        ("The judge", judge.times(every), Purpose::Judge),
    ] {
        if asked.calls == 0 {
            continue;
        }
        let (model, cost) = match models::in_use(tx, purpose, None).await? {
            Some((connection, model)) => (name(connection, &model), cost(tx, connection, &model, asked).await?),
            None => ("No model is set up".to_owned(), None),
        };
        rows.push(ModelEstimate { what: what.to_owned(), model, calls: asked.calls as i64, cost });
    }
    let cells = new.cells() as i64;
    Ok(Estimate {
        cells,
        tests: cells * cases.len() as i64 * i64::from(new.repeats),
        calls: rows.iter().map(|row| row.calls).sum(),
        cost: Money(rows.iter().filter_map(|row| row.cost).map(|cost| cost.0).sum()),
        unpriced: rows.iter().filter(|row| row.cost.is_none()).count() as i32,
        models: rows,
    })
}

/// None: it has no price.
async fn cost(tx: &mut ReadTx, connection: ConnectionId, model: &str, asked: Asked) -> Result<Option<Money>, AppError> {
    let now = tx.now().await?;
    let usage = ChatUsage {
        prompt_tokens: asked.read,
        completion_tokens: asked.written,
        total_tokens: asked.read + asked.written,
        ..ChatUsage::default()
    };
    Ok(models::priced(tx, connection, model, now, &usage).await?.map(Money))
}

/// The most that the first answer of a grid may cost with the dearest of its models whose price is known. With less in the purse nothing
/// would ever be asked.
pub(super) async fn dearest_answer(
    tx: &mut ReadTx,
    prompt: PromptId,
    new: &NewGrid,
    cases: &[Case],
) -> Result<Option<(Money, String)>, AppError> {
    let mut longest = 0;
    for (_, version) in &new.versions {
        let (_, template) = prompts::words(tx, prompt, *version).await?;
        longest = longest.max(template.len());
    }
    longest += cases.iter().map(|case| case.fields.input.len()).max().unwrap_or_default();
    let mut dearest: Option<(Money, String)> = None;
    for (_, connection, model) in &new.models {
        let most = most_of(tx, *connection, model, longest, Some(LONGEST_ANSWER)).await?.map(Money);
        if let Some(most) = most.filter(|most| dearest.as_ref().is_none_or(|(known, _)| *most > *known)) {
            dearest = Some((most, model.clone()));
        }
    }
    Ok(dearest)
}
