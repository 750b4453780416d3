//! Asking the model for one answer, and keeping it with what it cost.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde_json::json;

use super::model_engine::Worker;
use super::plain::{MOST_TEXT, cut, storable};
use super::steps::{NewStepRow, record};
use super::{circuits, ending};
use crate::model::StepKind;
use crate::model::moves::Happened;
use patchbay_access::Action;
use patchbay_metering::server::usage::{self, NewUsage};
use patchbay_models::model::Purpose;
use patchbay_models::server::{self as models, Chosen, priced};
use patchbay_providers::chat::{ChatAnswer, ChatDelta, ChatRequest};
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;

pub(super) struct Answered {
    pub answer: ChatAnswer,
    pub chosen: Chosen,
    pub began: DateTime<Utc>,
    pub took: Duration,
}

/// Asks. No transaction is open meanwhile.
pub(super) async fn ask(worker: &Worker) -> Result<Result<Answered, Happened>, AppError> {
    let (job, engine) = (&worker.started.job, &worker.engine);
    let chosen = match (engine.account, &engine.model) {
        (Some(account), Some(model)) => models::of(&worker.scope, account, model).await,
        _ => models::chosen(&worker.scope, Purpose::Agent, job.agent).await,
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
        Err(AppError::NotFound) => {
            let why = "The account of the engine’s model is not there any more. Choose another one.";
            return Ok(Err(Happened::Failed(why.to_owned())));
        }
        Err(error) => return Ok(Err(Happened::Failed(error.to_string()))),
    };
    let request = ChatRequest {
        model: chosen.model.clone(),
        messages: worker.progress.request(),
        temperature: job.config.agent.as_ref().and_then(|agent| agent.temperature),
        max_tokens: Some(engine.most_tokens),
        tools: worker.tools.told(),
        ..ChatRequest::default()
    };
    let (began, at) = (Instant::now(), worker.started.clock.now());
    let heard = async {
        let mut stream = chosen.provider.stream(&request).await?;
        while let Some(delta) = stream.next().await {
            if let ChatDelta::Done(answer) = delta? {
                return Ok(answer);
            }
        }
        Err(ProviderError::new(chosen.provider.name(), Kind::Network, "The answer has no end"))
    };
    match heard.await {
        Ok(answer) => Ok(Ok(Answered { answer, chosen, began: at, took: began.elapsed() })),
        Err(error) => Ok(Err(match error.kind {
            // Another answer may be better; the service is not at fault.
            Kind::Rejected => Happened::Failed(error.sentence()),
            Kind::Garbage => Happened::Passing(error.sentence()),
            // Another job of this engine would fare the same.
            _ => Happened::Trouble(error.sentence()),
        })),
    }
}

/// Keeps an answer: what it cost, the step, and how far the worker is. `is_again`: it may have been kept. False: another worker has the job.
pub(super) async fn keep(
    worker: &Worker,
    answer: &ChatAnswer,
    chosen: &Chosen,
    began: DateTime<Utc>,
    took: Duration,
    is_again: bool,
) -> Result<bool, AppError> {
    let job = &worker.started.job;
    let mut tx = worker.scope.write(Action::ManageExecution).await?;
    if is_again && worker.has_written(&mut tx).await? {
        return Ok(true);
    }
    let now = tx.reading().now().await?;
    let mut spent = answer.usage.clone();
    spent.cost = priced(tx.reading(), chosen.connection, &chosen.model, now, &spent).await?;
    let (tokens, cost) = ((spent.prompt_tokens, spent.completion_tokens), spent.cost);
    let calls: Vec<_> = answer
        .tool_calls
        .iter()
        .map(|call| json!({"name": call.name, "arguments": cut(&call.arguments, MOST_TEXT)}))
        .collect();
    let who = job.config.agent.as_ref().map_or("The model", |agent| agent.name.as_str());
    let step = NewStepRow {
        run: job.run,
        job: Some(job.id),
        agent: job.agent,
        kind: StepKind::Model,
        title: who,
        payload: json!({"model": answer.model, "text": storable(cut(&answer.text, MOST_TEXT)), "calls": calls}),
        began,
        took,
        tokens: Some(tokens),
        cost,
        error: None,
    };
    record(&mut tx, &step).await?;
    circuits::succeeded(&mut tx, job).await?;
    let is_ours = worker.write(&mut tx).await?;
    // It was paid for, whoever has the job now.
    let new = NewUsage {
        agent_id: job.agent,
        client_id: job.client,
        call_id: None,
        session_id: job.config.session.map(|id| id.to_string()),
        user_id: None,
        purpose: Purpose::Agent.as_str(),
        model: answer.model.clone(),
        usage: spent,
    };
    usage::record(&mut tx, new).await?;
    ending::notify(&mut tx, job.id, job.run);
    tx.commit().await?;
    Ok(is_ours)
}
