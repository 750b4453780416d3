//! Asking a model for one answer: whether it may be asked, the answer word by word, and what it cost.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use rust_decimal::Decimal;
use serde_json::json;

use crate::Stop;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope, WriteTx};
use patchbay_metering::server::usage::{NewUsage, record};
use patchbay_models::model::Purpose;
use patchbay_models::server::{Chosen, priced};
use patchbay_providers::ProviderError;
use patchbay_providers::chat::{ChatAnswer, ChatDelta, ChatMessage, ChatRequest};
use patchbay_runs::model::StepEvent;
use patchbay_runs::server::{self as runs, NewStep, StepTokens};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, RunId};
use patchbay_workspaces::server as workspaces;

/// Whoever has a conversation held watches what it costs, and may end it.
#[async_trait]
pub trait Watch: Send + Sync {
    /// Why it must end now. None: it may go on. Asked before each answer.
    async fn may_go_on(&self, tx: &mut ReadTx) -> Result<Option<Stop>, AppError>;

    /// Called before each answer, without a transaction: sets aside what it may cost at most, and waits for it if need be. Gives why it must
    /// end. Whoever shares a budget with nobody sets nothing aside.
    async fn set_aside(
        &self,
        _scope: &Scope,
        _chosen: &Chosen,
        _request: &ChatRequest,
    ) -> Result<Option<Stop>, AppError> {
        Ok(None)
    }

    /// An answer came, in the transaction that records it. `cost`: in US dollars; `None`: nobody told.
    async fn paid(&self, tx: &mut WriteTx, cost: Option<Decimal>) -> Result<(), AppError>;
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Halt {
    /// It may not be asked any more.
    Stop(Stop),
    /// The service failed. A sentence for people.
    Failed(String),
}

impl From<AppError> for Halt {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Internal(_) | AppError::Transport(_) => {
                Halt::Failed("Patchbay failed here. Try again.".to_owned())
            }
            other => Halt::Failed(other.to_string()),
        }
    }
}

/// What answers took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    pub tokens: u64,
    /// Of the answers whose price is known.
    pub cost: Decimal,
    /// Answers whose price nobody told.
    pub unpriced: u32,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub answer: ChatAnswer,
    pub took_ms: u32,
}

/// Asks models on the way of one conversation.
pub struct Asker<'a> {
    pub scope: &'a Scope,
    pub watch: &'a dyn Watch,
    pub agent: AgentId,
    /// Where each answer becomes a step.
    pub run: RunId,
    /// After this moment nothing is asked.
    pub until: Instant,
    pub spent: Spent,
}

impl Asker<'_> {
    /// Asks for one answer. No transaction is open meanwhile.
    pub async fn ask(&mut self, chosen: &Chosen, purpose: Purpose, mut request: ChatRequest) -> Result<Answer, Halt> {
        self.check().await?;
        request.model = chosen.model.clone();
        let waited = Instant::now();
        if let Some(stop) = self.watch.set_aside(self.scope, chosen, &request).await? {
            return Err(Halt::Stop(stop));
        }
        // Waiting for money is none of the conversation's own time.
        let waited = waited.elapsed();
        self.until += waited;
        if waited > Duration::from_secs(1) {
            self.check().await?;
        }
        let (began, at) = (Instant::now(), Utc::now());
        let heard = async {
            let mut stream = chosen.provider.stream(&request).await?;
            while let Some(delta) = stream.next().await {
                if let ChatDelta::Done(answer) = delta? {
                    return Ok(answer);
                }
            }
            Err(ProviderError::new(chosen.provider.name(), patchbay_providers::Kind::Network, "The answer has no end"))
        };
        let answer: Result<ChatAnswer, ProviderError> = match tokio::time::timeout_at(self.until.into(), heard).await {
            Ok(answer) => answer,
            Err(_) => return Err(Halt::Stop(Stop::Late)),
        };
        let mut answer = answer.map_err(|error| Halt::Failed(error.sentence()))?;
        let took = began.elapsed();
        self.record(chosen, purpose, &request, &mut answer, (at, took)).await?;
        Ok(Answer { answer, took_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX) })
    }

    /// Whether it may go on: by the clock, the workspace's state, and whoever watches.
    pub(crate) async fn check(&self) -> Result<(), Halt> {
        if Instant::now() >= self.until {
            return Err(Halt::Stop(Stop::Late));
        }
        let mut tx = self.scope.read(Action::ReadWorkshop).await?;
        let stop = match workspaces::is_suspended(&mut tx).await? {
            true => Some(Stop::Suspended),
            false => self.watch.may_go_on(&mut tx).await?,
        };
        stop.map_or(Ok(()), |stop| Err(Halt::Stop(stop)))
    }

    async fn record(
        &mut self,
        chosen: &Chosen,
        purpose: Purpose,
        request: &ChatRequest,
        answer: &mut ChatAnswer,
        (began, took): (DateTime<Utc>, Duration),
    ) -> Result<(), AppError> {
        let mut tx = self.scope.write(Action::ManageAgents).await?;
        let now = tx.reading().now().await?;
        let usage = &mut answer.usage;
        usage.cost = priced(tx.reading(), chosen.connection, &chosen.model, now, usage).await?;
        self.spent.tokens += usage.total_tokens;
        self.spent.cost += usage.cost.unwrap_or_default();
        self.spent.unpriced += u32::from(usage.cost.is_none());
        let new = NewUsage {
            agent_id: Some(self.agent),
            // What a test costs is the agency's own.
            client_id: None,
            call_id: None,
            session_id: Some(answer.id.clone()).filter(|id| !id.is_empty()),
            user_id: None,
            purpose: purpose.as_str(),
            model: answer.model.clone(),
            usage: answer.usage.clone(),
        };
        let cost = answer.usage.cost;
        record(&mut tx, new).await?;
        let plain = |text: &str| text.replace('\0', "\u{fffd}");
        let used = answer.tool_calls.iter();
        let tools: Vec<_> =
            used.map(|call| json!({"tool": plain(&call.name), "arguments": plain(&call.arguments)})).collect();
        let step = NewStep {
            event: StepEvent::LlmCall,
            message: match purpose {
                Purpose::Caller => "The caller’s model",
                Purpose::Judge => "The judge",
                _ => "The agent’s model",
            },
            payload: json!({
                "model": answer.model,
                "input": request.messages.last().map(text_of).map(plain),
                "output": plain(&answer.text),
                "tools": tools,
            }),
            began,
            took,
            error: None,
            tokens: Some(StepTokens {
                read: answer.usage.prompt_tokens,
                written: answer.usage.completion_tokens,
                cost,
            }),
        };
        runs::step(&mut tx, self.run, &step).await?;
        self.watch.paid(&mut tx, cost).await?;
        tx.commit().await
    }
}

/// What was said last when a model was asked.
fn text_of(message: &ChatMessage) -> &str {
    match message {
        ChatMessage::System(text) | ChatMessage::User(text) => text,
        ChatMessage::Assistant { text, .. } | ChatMessage::Tool { text, .. } => text,
    }
}
