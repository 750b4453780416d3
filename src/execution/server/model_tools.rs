//! What a worker's model asked for: asked about where a rule says so, done once, and answered.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::approvals::refusal;
use super::asking::{self, Asked};
use super::model_engine::{Way, Worker, limit};
use super::plain::{MOST_TEXT, cut, storable, storable_value};
use super::progress::{Call, State};
use super::steps::{NewStepRow, record};
use super::store::approvals as approval_store;
use super::store::jobs;
use super::work::unbroken;
use super::worker_tools::{Use, invoke, look_up, run_script, script_told};
use crate::model::StepKind;
use crate::model::moves::is_ended;
use patchbay_access::Action;
use patchbay_shared::AppError;
use patchbay_shared::ids::ApprovalId;

/// Uses of tools that one answer may ask for.
const MOST_AT_ONCE: usize = 8;
const NOT_KNOWN: &str = "It is not known whether this was done: the worker was lost while it was at it. Look whether it was done before you do it again.";

impl Worker {
    /// Does what the model asked for, as far as it can be done now.
    pub(super) async fn use_tools(&mut self) -> Result<Option<Way>, AppError> {
        for place in 0..self.progress.pending.len() {
            let one = self.progress.pending[place].clone();
            let way = match one.state {
                State::Done { .. } => None,
                State::New if place >= MOST_AT_ONCE => {
                    self.tell(place, "Too many tools at once. Use the others first.", true, Duration::ZERO, None)
                        .await?
                }
                State::New => self.begin(place, &one.call).await?,
                State::Begun => self.tell(place, NOT_KNOWN, true, Duration::ZERO, None).await?,
                State::Asked { approval } => self.decided(place, &one.call, approval).await?,
                State::Runs { job } => {
                    let mut tx = self.scope.read(Action::ManageExecution).await?;
                    let (status, result, reason) = jobs::came_of(&mut tx, job).await?;
                    drop(tx);
                    match is_ended(status) {
                        true => {
                            let (text, is_error) = script_told(status, result, reason);
                            self.tell(place, &text, is_error, Duration::ZERO, None).await?
                        }
                        false => None,
                    }
                }
            };
            if way.is_some() {
                return Ok(way);
            }
        }
        Ok(None)
    }

    /// A use that was not looked at yet: asked about, done, or answered with what is wrong.
    async fn begin(&mut self, place: usize, call: &Call) -> Result<Option<Way>, AppError> {
        if !self.progress.may_use(call) {
            let why = format!(
                "The worker asked for {} with the same arguments again and again, which leads nowhere.",
                call.name
            );
            return Ok(limit(why));
        }
        let read = arguments(call);
        let wrong = match (&read, self.tools.find(&call.name)) {
            (_, None) => Some("There is no tool of this name.".to_owned()),
            (None, _) => Some("The arguments are not JSON. Correct them and try again.".to_owned()),
            (Some(given), Some(tool)) => tool.check(given).err().map(|why| format!("{why} Correct it and try again.")),
        };
        if let Some(why) = wrong {
            return self.tell(place, &why, true, Duration::ZERO, None).await;
        }
        let given = read.unwrap_or_default();
        let job = self.started.job.clone();
        if let Some(rule) = asking::for_tool(&job.config.rules, &call.name, &given) {
            let mut tx = self.scope.write(Action::ManageExecution).await?;
            let worker = job.config.agent.as_ref().map_or("The worker", |agent| agent.name.as_str());
            let mut details = vec![("Worker".to_owned(), worker.to_owned()), ("Tool".to_owned(), call.name.clone())];
            details.extend(asking::details_of(&given));
            let asked = Asked {
                job: job.id,
                run: job.run,
                client: job.client,
                rule,
                tool: Some(&call.name),
                title: &format!("{worker} wants to use {}", call.name),
                details,
                content: &serde_json::to_string_pretty(&storable_value(given)).unwrap_or_default(),
            };
            let approval = asking::ask(&mut tx, &asked).await?;
            self.progress.pending[place].state = State::Asked { approval };
            if !self.write(&mut tx).await? {
                return Ok(Some(Way::Gone));
            }
            tx.commit().await?;
            return Ok(None);
        }
        self.do_it(place, call, given).await
    }

    async fn decided(&mut self, place: usize, call: &Call, id: ApprovalId) -> Result<Option<Way>, AppError> {
        let mut tx = self.scope.read(Action::ManageExecution).await?;
        let approval = approval_store::get(&mut tx, id).await?;
        drop(tx);
        if approval.decision.is_none() {
            return Ok(None);
        }
        if let Some(why) = refusal(&approval) {
            let text = format!("This was not done. {why} Go on without it, or say that it cannot be done.");
            return self.tell(place, &text, true, Duration::ZERO, None).await;
        }
        // What the person saw is what is done.
        let approved = approval.edited.as_deref().unwrap_or(&approval.content);
        let given: Value = serde_json::from_str(approved).unwrap_or_default();
        let wrong = match self.tools.find(&call.name) {
            None => Some("There is no tool of this name any more.".to_owned()),
            Some(tool) => tool.check(&given).err().map(|why| format!("What was approved does not fit the tool. {why}")),
        };
        if let Some(why) = wrong {
            return self.tell(place, &why, true, Duration::ZERO, Some(given)).await;
        }
        self.do_it(place, call, given).await
    }

    /// Does it. What cannot be taken back is written down as begun before.
    async fn do_it(&mut self, place: usize, call: &Call, given: Value) -> Result<Option<Way>, AppError> {
        if let Some(way) = self.may_go_on().await? {
            return Ok(Some(way));
        }
        let began = Instant::now();
        let job = self.started.job.clone();
        let (text, is_error) = match self.tools.find(&call.name) {
            None => ("There is no tool of this name.".to_owned(), true),
            Some(Use::Knowledge) => {
                let question = given.get("question").and_then(Value::as_str).unwrap_or_default();
                look_up(&self.scope, &job, question).await
            }
            Some(Use::Script(script)) => {
                let script = script.clone();
                let input = given.get("input").and_then(Value::as_str).unwrap_or_default();
                let mut tx = self.scope.write(Action::ManageExecution).await?;
                match run_script(&mut tx, &job, &script, input).await? {
                    Ok(id) => {
                        self.progress.pending[place].state = State::Runs { job: id };
                        if !self.write(&mut tx).await? {
                            return Ok(Some(Way::Gone));
                        }
                        tx.commit().await?;
                        return Ok(None);
                    }
                    Err(why) => (why, true),
                }
            }
            Some(Use::Own(tool)) => {
                let tool = tool.clone();
                self.progress.pending[place].state = State::Begun;
                if !self.keep().await? {
                    return Ok(Some(Way::Gone));
                }
                invoke(&self.scope, &job, &tool, given.clone()).await
            }
        };
        self.tell(place, &text, is_error, began.elapsed(), Some(given)).await
    }

    /// What came of a use: kept, and written down as a step.
    async fn tell(
        &mut self,
        place: usize,
        text: &str,
        is_error: bool,
        took: Duration,
        given: Option<Value>,
    ) -> Result<Option<Way>, AppError> {
        let text = storable(text);
        self.progress.pending[place].state = State::Done { text: text.clone() };
        let call = &self.progress.pending[place].call;
        let given = given.or_else(|| arguments(call)).unwrap_or_else(|| Value::String(call.arguments.clone()));
        let shown = cut(&text, MOST_TEXT);
        let job = &self.started.job;
        let step = NewStepRow {
            run: job.run,
            job: Some(job.id),
            agent: job.agent,
            kind: StepKind::Tool,
            title: &call.name,
            payload: json!({"name": call.name, "arguments": given, "result": shown}),
            began: self.started.clock.now() - took,
            took,
            tokens: None,
            cost: None,
            error: is_error.then_some(shown),
        };
        let is_ours = unbroken(&self.started, |tries| self.keep_step(&step, tries > 0)).await?;
        Ok((!is_ours).then_some(Way::Gone))
    }

    /// Keeps a step with how far the worker is. `is_again`: it may have been kept. False: another worker has the job.
    async fn keep_step(&self, step: &NewStepRow<'_>, is_again: bool) -> Result<bool, AppError> {
        let mut tx = self.scope.write(Action::ManageExecution).await?;
        if is_again && self.has_written(&mut tx).await? {
            return Ok(true);
        }
        record(&mut tx, step).await?;
        if !self.write(&mut tx).await? {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// The arguments as the model wrote them. None: they are no JSON.
fn arguments(call: &Call) -> Option<Value> {
    match call.arguments.trim() {
        "" => Some(json!({})),
        text => serde_json::from_str(text).ok(),
    }
}
