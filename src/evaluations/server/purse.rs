//! What a run may cost. A run of its own counts with each answer. The cells of a grid share one purse: before an answer is asked for, what it
//! may cost at most is set aside, so that cells beside each other never spend together what each of them still saw.
//!
//! Between two answers a conversation holds nothing. So nobody who waits keeps others waiting, and when nobody holds anything and the rest does
//! not pay for one answer, the purse is empty.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use rust_decimal::Decimal;

use super::store::{grids, results, runs};
use crate::model::SuiteStatus;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_agent_loop::{Stop, Watch};
use patchbay_jobs::live::Topic;
use patchbay_models::server::{Chosen, priced};
use patchbay_providers::chat::{ChatMessage, ChatRequest, ChatUsage};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ConnectionId, SuiteRunId, TestGridId, TestRunId};

/// Answers without a price in one run: a budget cannot count them, and something has to end it.
pub(super) const MOST_UNPRICED: i32 = 100;
/// The longest answer that is asked for where a request does not say it, in tokens.
pub(super) const LONGEST_ANSWER: u32 = 6000;
/// US cents that are set aside for an answer whose price is not known beforehand: some services tell it with the answer.
const UNKNOWN_CENTS: i64 = 5;
/// How long somebody waits for what others have set aside: longer than a lost worker keeps it. They look again after a moment, then less and
/// less often.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(100);
const LOOK_AT_MOST: Duration = Duration::from_secs(2);

impl grids::Purse {
    /// What nobody has spent or set aside. An answer that nobody priced keeps what was set aside for it.
    fn left(&self, budget: Decimal) -> Decimal {
        budget - self.spent - Decimal::new(UNKNOWN_CENTS, 2) * Decimal::from(self.unpriced) - self.set_aside
    }
}

/// Counts what a case costs, and says when it may not go on.
pub(super) struct Purse {
    pub run: SuiteRunId,
    pub result: TestRunId,
    /// The grid that shares its budget with the run.
    pub grid: Option<TestGridId>,
}

#[async_trait]
impl Watch for Purse {
    async fn may_go_on(&self, tx: &mut ReadTx) -> Result<Option<Stop>, AppError> {
        let run = runs::work(tx, self.run).await?;
        Ok(match run.status {
            SuiteStatus::Running if run.spent >= run.budget || run.unpriced >= MOST_UNPRICED => Some(Stop::OverBudget),
            SuiteStatus::Running => None,
            SuiteStatus::OverBudget => Some(Stop::OverBudget),
            _ => Some(Stop::Stopped),
        })
    }

    async fn set_aside(&self, scope: &Scope, chosen: &Chosen, request: &ChatRequest) -> Result<Option<Stop>, AppError> {
        let Some(grid) = self.grid else { return Ok(None) };
        let until = Instant::now() + PATIENCE;
        let mut pause = LOOK;
        loop {
            // Whoever has to wait looks without holding the grid: many do, and those who pay need its row.
            let mut tx = scope.read(Action::ReadWorkshop).await?;
            let run = runs::work(&mut tx, self.run).await?;
            let most = most_of(&mut tx, chosen.connection, &chosen.model, bytes(request), request.max_tokens).await?;
            let amount = most.unwrap_or_else(|| Decimal::new(UNKNOWN_CENTS, 2).min(run.budget));
            let purse = grids::purse(&mut tx, grid, Some(self.result)).await?;
            drop(tx);
            let goes_on = run.status == SuiteStatus::Running;
            if goes_on && purse.left(run.budget) < amount && !purse.set_aside.is_zero() {
                if Instant::now() >= until {
                    return Ok(Some(Stop::OverBudget));
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LOOK_AT_MOST);
                continue;
            }
            let mut tx = scope.write(Action::ManageAgents).await?;
            let held = grids::lock(&mut tx, grid).await?;
            let run = runs::work(tx.reading(), self.run).await?;
            if held.status != SuiteStatus::Running || run.status != SuiteStatus::Running {
                return Ok(Some(Stop::Stopped));
            }
            let purse = grids::purse(tx.reading(), grid, Some(self.result)).await?;
            let is_there = purse.left(held.budget) >= amount;
            results::set_aside(&mut tx, self.result, if is_there { amount } else { Decimal::ZERO }).await?;
            tx.commit().await?;
            if is_there {
                return Ok(None);
            }
            if purse.set_aside.is_zero() {
                return Ok(Some(Stop::OverBudget));
            }
        }
    }

    async fn paid(&self, tx: &mut WriteTx, cost: Option<Decimal>) -> Result<(), AppError> {
        if let Some(grid) = self.grid {
            grids::lock(tx, grid).await?;
            results::set_aside(tx, self.result, Decimal::ZERO).await?;
            tx.notify(Topic::one("test_grid", grid), None);
        }
        runs::add_spent(tx, self.run, cost).await?;
        tx.notify(Topic::one("suite_run", self.run), None);
        Ok(())
    }
}

/// What one answer may cost at most, in US dollars. None: no price is known for it. `read`: bytes that the model is told; a token has at
/// least one.
pub(super) async fn most_of(
    tx: &mut ReadTx,
    connection: ConnectionId,
    model: &str,
    read: usize,
    written: Option<u32>,
) -> Result<Option<Decimal>, AppError> {
    let now = tx.now().await?;
    let (read, written) = (read as u64, u64::from(written.unwrap_or(LONGEST_ANSWER)));
    let usage = ChatUsage {
        prompt_tokens: read,
        completion_tokens: written,
        total_tokens: read + written,
        ..ChatUsage::default()
    };
    // To the next millionth: what is set aside is not less than what is paid.
    let most = priced(tx, connection, model, now, &usage).await?;
    Ok(most.map(|most| most.round_dp_with_strategy(6, rust_decimal::RoundingStrategy::AwayFromZero)))
}

/// All that a request tells a model. What stands between its parts is counted as a few bytes each.
fn bytes(request: &ChatRequest) -> usize {
    const BETWEEN: usize = 16;
    let messages = request.messages.iter().map(|message| match message {
        ChatMessage::System(text) | ChatMessage::User(text) => text.len() + BETWEEN,
        ChatMessage::Assistant { text, tool_calls } => {
            let calls = tool_calls.iter().map(|call| call.name.len() + call.arguments.len() + 2 * BETWEEN);
            text.len() + BETWEEN + calls.sum::<usize>()
        }
        ChatMessage::Tool { call_id, text } => call_id.len() + text.len() + BETWEEN,
    });
    let tools = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.parameters.to_string().len() + 2 * BETWEEN);
    let schema = request.answer_schema.as_ref().map_or(0, |one| one.name.len() + one.schema.to_string().len());
    messages.sum::<usize>() + tools.sum::<usize>() + schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_request_counts() {
        let one = ChatRequest { messages: vec![ChatMessage::User("Grüezi".to_owned())], ..ChatRequest::default() };
        assert_eq!(bytes(&one), 7 + 16);
        let tool = patchbay_providers::chat::ChatTool {
            name: "book".to_owned(),
            description: "Books.".to_owned(),
            parameters: serde_json::json!({}),
        };
        let two = ChatRequest { tools: vec![tool], ..one };
        assert_eq!(bytes(&two), 23 + 4 + 6 + 2 + 32);
    }
}
