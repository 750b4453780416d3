//! The conversation itself.

use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};

use crate::ask::{Asker, Halt, Watch};
use crate::store::{self, Speaker};
use crate::{Ended, Held, Other, Plan, Said, Spent, Stop, ToolUse, Turn, caller, filled};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_models::model::Purpose;
use patchbay_models::server::{self as models, Chosen};
use patchbay_prompts::server as prompts;
use patchbay_providers::chat::{ChatMessage, ChatRequest, ToolCall};
use patchbay_runs::model::{ErrorSource, StepEvent, Trigger};
use patchbay_runs::server::{self as runs, NewError, NewRun, NewStep};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, RunId};
use patchbay_skills::server as skills;
use patchbay_tools::model::{Origin, ToolKind, schema};
use patchbay_tools::server::{self as tools, AgentTool, Effect, Invocation};

/// Uses of tools between two answers in words: more of them lead nowhere.
const MOST_ROUNDS: usize = 8;
/// Uses of tools in one answer.
const MOST_AT_ONCE: usize = 8;
/// The longest answer of an agent, in tokens: what a model thinks before it speaks counts, too.
const LONGEST: u32 = 6000;
/// The most of an answer that is kept.
const MOST_TEXT: usize = 16 * 1024;

/// Holds a conversation, which is a run from its beginning; `end` ends that run once all is done with it. Errors: `NotFound` when there is no such agent or version, `Conflict` when its model cannot be asked; whatever
/// happens once it has begun is in what it gives.
pub async fn hold(scope: &Scope, plan: &Plan, watch: &dyn Watch) -> Result<Held, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let speaker = store::speaker(&mut tx, plan.agent).await?;
    let (_, template) = prompts::words(&mut tx, plan.prompt, plan.version).await?;
    let tools = tools::for_agent(&mut tx, plan.agent).await?;
    let skills = skills::told(&mut tx, plan.agent).await?;
    drop(tx);
    let agent = models::of(scope, plan.connection, &plan.model).await?;
    let caller = match &plan.other {
        Other::Caller(_) => Some(models::chosen(scope, Purpose::Caller, None).await?),
        Other::Message(_) => None,
    };
    let mut tx = scope.write(Action::ManageAgents).await?;
    let run = NewRun {
        id: plan.run,
        agent: plan.agent,
        client: speaker.client,
        trigger: Trigger::Suite,
        title: &plan.title,
        started_by: plan.started_by,
        prompt_version: Some(plan.version),
    };
    runs::start(&mut tx, &run).await?;
    tx.commit().await?;
    let asker = Asker {
        scope,
        watch,
        agent: plan.agent,
        run: plan.run,
        until: Instant::now() + plan.longest,
        spent: Spent::default(),
    };
    let words = filled(&template, &plan.variables);
    let system = skills.map_or_else(|| words.clone(), |skills| format!("{words}\n\n{skills}"));
    let is_at_rest = speaker.is_at_rest;
    let mut talk = Talk {
        asker,
        plan,
        speaker,
        model: agent,
        tools,
        messages: vec![ChatMessage::System(system)],
        turns: Vec::new(),
        replies: Vec::new(),
        is_over: false,
    };
    let ended = if is_at_rest { Err(Halt::Stop(Stop::AtRest)) } else { talk.go(caller.as_ref()).await };
    let ended = match ended {
        Ok(()) => Ended::Over,
        Err(Halt::Stop(stop)) => Ended::Stopped(stop),
        Err(Halt::Failed(why)) => Ended::Failed(why),
    };
    Ok(Held { turns: talk.turns, ended, spent: talk.asker.spent, replies: talk.replies })
}

/// Ends a run: with a failure, or without one. `is_fault`: a service failed, which stands among the errors, too.
pub async fn end(
    scope: &Scope,
    agent: AgentId,
    run: RunId,
    failure: Option<&str>,
    is_fault: bool,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    runs::finish(&mut tx, run, failure).await?;
    if let Some(message) = failure.filter(|_| is_fault) {
        let error = NewError {
            run: Some(run),
            agent: Some(agent),
            client: None,
            source: ErrorSource::Llm,
            code: "no_answer",
            message,
            metadata: json!({}),
        };
        runs::failed(&mut tx, &error).await?;
    }
    tx.commit().await
}

struct Talk<'a> {
    asker: Asker<'a>,
    plan: &'a Plan,
    speaker: Speaker,
    model: Chosen,
    tools: Vec<AgentTool>,
    /// What the agent's model has heard.
    messages: Vec<ChatMessage>,
    turns: Vec<Turn>,
    replies: Vec<u32>,
    /// The agent has hung up.
    is_over: bool,
}

impl Talk<'_> {
    async fn go(&mut self, caller: Option<&Chosen>) -> Result<(), Halt> {
        let persona = match (&self.plan.other, caller) {
            (Other::Caller(persona), Some(caller)) => Some((persona, caller)),
            (Other::Message(text), _) => {
                self.hear(text).await?;
                None
            }
            (Other::Caller(_), None) => None,
        };
        let Some((persona, caller)) = persona else { return self.answer().await };
        if !self.speaker.waits && !self.speaker.greeting.is_empty() {
            let greeting = filled(&self.speaker.greeting, &self.plan.variables);
            self.messages.push(ChatMessage::Assistant { text: greeting.clone(), tool_calls: Vec::new() });
            self.say(Said::Agent, greeting, None);
        }
        for _ in 0..persona.most_turns {
            let asked = self.asker.ask(caller, Purpose::Caller, caller::request(persona, &self.turns)).await?;
            let line: caller::Line = asked.answer.parse_json().map_err(|error| Halt::Failed(error.sentence()))?;
            self.hear(&line.says).await?;
            // What is said with the receiver in the hand is still answered: many a goal is reached by it.
            self.answer().await?;
            if line.hangs_up || self.is_over {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn hear(&mut self, text: &str) -> Result<(), Halt> {
        self.messages.push(ChatMessage::User(text.to_owned()));
        self.say(Said::Caller, text.to_owned(), None);
        let said = self.turns.last().map(|turn| turn.text.clone()).unwrap_or_default();
        self.step(StepEvent::UserInput, "The caller", json!({"input": said}), Duration::ZERO, None).await?;
        Ok(())
    }

    async fn step(
        &self,
        event: StepEvent,
        message: &str,
        payload: Value,
        took: Duration,
        error: Option<&str>,
    ) -> Result<(), AppError> {
        let mut tx = self.asker.scope.write(Action::ManageAgents).await?;
        let step = NewStep { event, message, payload, began: Utc::now() - took, took, error, tokens: None };
        runs::step(&mut tx, self.plan.run, &step).await?;
        tx.commit().await
    }

    fn say(&mut self, by: Said, text: String, tool: Option<ToolUse>) {
        let text = cut(&text).replace('\0', "\u{fffd}");
        self.turns.push(Turn { by, text, tool });
    }

    /// The agent's answer in words, with the tools that it uses before it.
    async fn answer(&mut self) -> Result<(), Halt> {
        let mut took = 0_u32;
        for _ in 0..MOST_ROUNDS {
            let request = ChatRequest {
                messages: self.messages.clone(),
                temperature: self.speaker.temperature,
                max_tokens: Some(LONGEST),
                tools: tools::chat_tools(&self.tools),
                ..ChatRequest::default()
            };
            let asked = self.asker.ask(&self.model, Purpose::Agent, request).await?;
            took = took.saturating_add(asked.took_ms);
            let answer = asked.answer;
            if let Some(refusal) = answer.refusal.as_deref().filter(|_| answer.text.trim().is_empty()) {
                return Err(Halt::Failed(format!("The model would not answer: {refusal}")));
            }
            if answer.is_cut_off() {
                return Err(Halt::Failed("The model’s answer was cut off at its longest length.".to_owned()));
            }
            let (text, calls) = (answer.text, answer.tool_calls);
            self.messages.push(ChatMessage::Assistant { text: text.clone(), tool_calls: calls.clone() });
            if !text.trim().is_empty() {
                self.say(Said::Agent, text.trim().to_owned(), None);
            }
            for (place, call) in calls.iter().enumerate() {
                self.use_tool(call, place >= MOST_AT_ONCE).await?;
            }
            if calls.is_empty() || self.is_over {
                self.replies.push(took);
                return match calls.is_empty() && text.trim().is_empty() {
                    true => Err(Halt::Failed("The model’s answer is empty.".to_owned())),
                    false => Ok(()),
                };
            }
        }
        Err(Halt::Failed(format!("The agent used tools {MOST_ROUNDS} times in a row without saying a word.")))
    }

    async fn use_tool(&mut self, call: &ToolCall, is_too_many: bool) -> Result<(), Halt> {
        let began = Instant::now();
        let read: Result<Value, _> = match call.arguments.trim() {
            "" => Ok(Value::Object(serde_json::Map::new())),
            text => serde_json::from_str(text),
        };
        let arguments = read.as_ref().ok().cloned().unwrap_or_else(|| Value::String(call.arguments.clone()));
        let arguments = storable(arguments);
        let tool = self.tools.iter().find(|tool| tool.name == call.name).cloned();
        let stub = self.plan.stubs.get(&call.name);
        let (text, is_error, effect) = match (&tool, &read) {
            _ if is_too_many => ("Too many tools at once. Use the others first.".to_owned(), true, None),
            (None, _) => ("There is no tool of this name.".to_owned(), true, None),
            (_, Err(_)) => ("The arguments are not JSON. Correct them and try again.".to_owned(), true, None),
            (Some(tool), Ok(given)) => match (stub, schema::validate(&tool.parameters, given)) {
                (_, Err(why)) => (format!("{why} Correct it and try again."), true, None),
                (Some(stub), Ok(())) => (stub.clone(), false, ends_call(tool).then_some(Effect::EndCall)),
                (None, Ok(())) if self.plan.uses_tools || is_about_the_call(tool) => {
                    let invocation = Invocation {
                        origin: Origin::Run,
                        call: None,
                        run: Some(self.plan.run),
                        client: self.speaker.client,
                        contact: None,
                        phone: None,
                    };
                    // What it does cannot be taken back: somebody may have stopped the run meanwhile.
                    self.asker.check().await?;
                    let done = tools::invoke(self.asker.scope, tool, given.clone(), &invocation).await;
                    (done.text, done.is_error, done.effect)
                }
                (None, Ok(())) => ("This tool is not available at the moment.".to_owned(), true, None),
            },
        };
        if matches!(effect, Some(Effect::EndCall | Effect::Voicemail(_))) {
            self.is_over = true;
        }
        self.messages.push(ChatMessage::Tool { call_id: call.id.clone(), text: text.clone() });
        let name = call.name.replace('\0', "\u{fffd}");
        let is_stubbed = stub.is_some() && !is_error;
        self.say(
            Said::Tool,
            text,
            Some(ToolUse { name: name.clone(), arguments: arguments.clone(), is_error, is_stubbed }),
        );
        let text = self.turns.last().map(|turn| turn.text.clone()).unwrap_or_default();
        let payload = json!({"input": arguments, "output": text, "answered_by_case": is_stubbed});
        let error = is_error.then_some(text.as_str());
        self.step(StepEvent::ToolCall, &name, payload, began.elapsed(), error).await?;
        Ok(())
    }
}

/// Acts on the conversation alone: nothing outside is touched.
fn is_about_the_call(tool: &AgentTool) -> bool {
    matches!(tool.config.kind(), ToolKind::EndCall | ToolKind::Keypad | ToolKind::Voicemail)
}

fn ends_call(tool: &AgentTool) -> bool {
    matches!(tool.config.kind(), ToolKind::EndCall | ToolKind::Voicemail)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MOST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A value that the database takes: without zero characters.
fn storable(value: Value) -> Value {
    let plain = |text: String| text.replace('\0', "\u{fffd}");
    match value {
        Value::String(text) => Value::String(plain(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable).collect()),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (plain(name), storable(value))).collect(),
        other => other,
    }
}
