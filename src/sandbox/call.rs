//! One call: what was asked for, what was planned for it, and how far it has come.

mod drawing;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::clock::CallClock;
use super::conversation::{Conversation, Family, Language, Scenario, Scene, compose};
use super::rng::Rng;
use super::settings::SandboxSettings;
use super::tool_use::{self, ToolUse};
use drawing::{draw_answer, family, special_outcome};

pub(super) use drawing::{answer_of, fill_variables, seconds_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Person,
    Machine,
    Nobody,
    Busy,
    Declined,
    Unknown,
    Dropped,
}

/// Fixed when the call is created; times in sandbox seconds.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub answer: Answer,
    pub ring: f64,
    pub talk: f64,
    pub billing: f64,
    pub end_reason: &'static str,
    /// `SIP_TERMINATION_…` without the prefix.
    pub sip_reason: &'static str,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub id: Uuid,
    pub inbound: bool,
    pub to: Option<String>,
    pub from: Option<String>,
    /// The agent as it was when the call began.
    pub agent: Option<Arc<Value>>,
    /// The body of the create request.
    pub request: Map<String, Value>,
    pub clock: CallClock,
    pub plan: Plan,
    seed: u64,
    salt: String,
    pub language: Language,
    family: Family,
    scenario: Scenario,
    pub short_summary: String,
    pub summary: String,
    /// Offsets; none until it happens.
    pub joined: Option<f64>,
    pub ended: Option<f64>,
    pub end_reason: Option<&'static str>,
    pub billed: bool,
    pub refunded: bool,
    /// The bill says nothing about its length.
    pub bills_no_length: bool,
    /// What came of the agent's own tools.
    pub tool_uses: Vec<ToolUse>,
    /// How often somebody has asked for the recording.
    pub recording_asked: u32,
    /// Cancelled when somebody hangs up early.
    pub cut: CancellationToken,
    /// Cancelled when the carrier brings the caller to the line. None: somebody is rung, or on the line already.
    pub join: Option<CancellationToken>,
}

/// What a call is made from.
pub(super) struct NewCall {
    pub agent: Option<Arc<Value>>,
    pub request: Map<String, Value>,
    pub to: Option<String>,
    pub from: Option<String>,
    pub inbound: bool,
}

/// The carrier has somebody on the line and joins: a medium of a carrier that dials nobody.
fn is_joined_by_carrier(request: &Map<String, Value>) -> bool {
    let medium = request.get("medium").and_then(Value::as_object);
    let carriers = ["telnyx", "twilio", "plivo"];
    let way = medium.and_then(|medium| carriers.iter().find_map(|name| medium.get(*name)?.as_object()));
    way.is_some_and(|way| !way.contains_key("outgoing"))
}

/// What is settled about a call before chance decides the rest.
pub(super) struct Steer {
    pub id: Uuid,
    /// Tells the chance of this call from that of others.
    pub salt: String,
    /// When the call was created, if that is not now.
    pub at: Option<DateTime<Utc>>,
    pub speed: f64,
    /// `sdr` or `cs`; none: as the prompt sounds.
    pub campaign_type: Option<String>,
    /// The name of an outcome, as in `lib.rs`.
    pub outcome: Option<String>,
}

impl Steer {
    pub fn campaign_type(request: &Map<String, Value>) -> Option<String> {
        let metadata = request.get("metadata").and_then(Value::as_object)?;
        let word = |key: &str| metadata.get(key).and_then(Value::as_str);
        word("campaign_type").or_else(|| word("patchbay.campaign_type")).map(str::to_owned)
    }

    /// What the metadata of a request ask for.
    fn of(request: &Map<String, Value>, settings: &SandboxSettings) -> Steer {
        let metadata = request.get("metadata").and_then(Value::as_object);
        let word = |key: &str| metadata.and_then(|all| all.get(key)).and_then(Value::as_str);
        let id = Uuid::new_v4();
        Steer {
            id,
            salt: word("patchbay.sandbox_seed").map_or_else(|| id.to_string(), str::to_owned),
            at: word("patchbay.sandbox_at").and_then(|text| text.parse().ok()),
            speed: word("patchbay.sandbox_speed").and_then(|text| text.parse().ok()).unwrap_or(settings.speed),
            campaign_type: Steer::campaign_type(request),
            outcome: word("patchbay.sandbox_outcome").map(str::to_owned),
        }
    }
}

impl Call {
    /// Plans the call. Nothing runs yet: see `life::place`.
    pub fn plan(new: NewCall, settings: &SandboxSettings) -> Call {
        let steer = Steer::of(&new.request, settings);
        Call::steered(new, settings, steer)
    }

    /// Plans a call of which some things are settled.
    pub fn steered(new: NewCall, settings: &SandboxSettings, steer: Steer) -> Call {
        let mut rng = Rng::new(settings.seed ^ 0x5eed, &steer.salt);
        let placeholder = Plan {
            answer: Answer::Person,
            ring: 0.0,
            talk: 0.0,
            billing: 0.0,
            end_reason: "hangup",
            sip_reason: "NORMAL",
        };
        let join = (!new.inbound && is_joined_by_carrier(&new.request)).then(CancellationToken::new);
        let mut call = Call {
            id: steer.id,
            inbound: new.inbound || join.is_some(),
            to: new.to,
            from: new.from,
            agent: new.agent,
            request: new.request,
            clock: CallClock::start(None, 1.0, 0.0),
            plan: placeholder,
            seed: settings.seed,
            salt: steer.salt,
            language: Language::English,
            family: Family::Sales,
            scenario: Scenario::Survey,
            short_summary: String::new(),
            summary: String::new(),
            joined: None,
            ended: None,
            end_reason: None,
            billed: false,
            refunded: false,
            bills_no_length: settings.quirks.bill_without_length,
            tool_uses: Vec::new(),
            recording_asked: 0,
            cut: CancellationToken::new(),
            join,
        };
        let prompt = call.prompt();
        call.language = Language::from_hint(call.pick("languageHint").and_then(Value::as_str));
        call.family = family(steer.campaign_type.as_deref(), &prompt);
        let forced = steer.outcome.or_else(|| special_outcome(call.to.as_deref()).map(str::to_owned));
        let drawn = draw_answer(settings, call.inbound || call.to.is_none(), &mut rng);
        let lower = prompt.to_lowercase();
        let drawn_scenario = match call.inbound {
            true => Scenario::draw_of_caller(&lower, &mut rng),
            false => Scenario::draw(call.family, &lower, &mut rng),
        };
        let (answer, scenario) = match forced.as_deref() {
            Some("busy") => (Answer::Busy, drawn_scenario),
            Some("no_answer") => (Answer::Nobody, drawn_scenario),
            Some("voicemail") => (Answer::Machine, Scenario::Voicemail),
            Some("declined_call") => (Answer::Declined, drawn_scenario),
            Some("invalid_number") => (Answer::Unknown, drawn_scenario),
            Some("dropped") => (Answer::Dropped, drawn_scenario),
            Some("answered") => (Answer::Person, drawn_scenario),
            Some(name) => {
                Scenario::from_name(name).map_or((drawn, drawn_scenario), |scenario| (Answer::Person, scenario))
            }
            None => (drawn, drawn_scenario),
        };
        call.scenario = if answer == Answer::Machine { Scenario::Voicemail } else { scenario };
        if matches!(
            call.scenario,
            Scenario::Confirmed | Scenario::Rescheduled | Scenario::Solved | Scenario::Escalated | Scenario::Survey
        ) {
            call.family = Family::Care;
        }
        let conversation = call.conversation();
        call.plan = call.make_plan(answer, &conversation, settings, &mut rng);
        call.short_summary = conversation.short_summary;
        call.summary = conversation.summary;
        let whole = call.plan.ring + call.plan.talk + call.plan.billing;
        call.clock = CallClock::start(steer.at, if steer.speed > 0.0 { steer.speed } else { 1.0 }, whole);
        call
    }

    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// How it went, in the words by which a call can be steered.
    pub fn outcome(&self) -> &'static str {
        match self.plan.answer {
            Answer::Person => self.scenario.name(),
            Answer::Machine => "voicemail",
            Answer::Nobody => "no_answer",
            Answer::Busy => "busy",
            Answer::Declined => "declined_call",
            Answer::Unknown => "invalid_number",
            Answer::Dropped => "dropped",
        }
    }

    /// The call after all of its life: ended and billed.
    pub fn over(mut self) -> Call {
        let plan = &self.plan;
        self.joined = matches!(plan.answer, Answer::Person | Answer::Machine | Answer::Dropped).then_some(plan.ring);
        self.ended = Some(plan.ring + plan.talk);
        self.end_reason = Some(plan.end_reason);
        self.billed = true;
        self
    }

    fn make_plan(
        &self,
        answer: Answer,
        conversation: &Conversation,
        settings: &SandboxSettings,
        rng: &mut Rng,
    ) -> Plan {
        let ring = rng.between(settings.ring_secs);
        let billing = rng.between(settings.billing_secs);
        let longest = seconds_of(self.pick("maxDuration")).unwrap_or(3600.0);
        let patience = seconds_of(self.pick("joinTimeout")).unwrap_or(30.0);
        let unjoined =
            |ring: f64, sip_reason| Plan { answer, ring, talk: 0.0, billing, end_reason: "unjoined", sip_reason };
        match answer {
            Answer::Nobody => unjoined(patience, "TIMEOUT"),
            Answer::Busy => unjoined(rng.between([1.5, 4.0]), "BUSY"),
            Answer::Declined => unjoined(rng.between([4.0, 9.0]), "REJECTED"),
            Answer::Unknown => unjoined(rng.between([0.4, 1.5]), "INVALID_NUMBER"),
            Answer::Dropped => {
                let talk = conversation.length * rng.between([0.2, 0.7]);
                Plan {
                    answer,
                    ring: ring.min(patience),
                    talk,
                    billing,
                    end_reason: "connection_error",
                    sip_reason: "UNKNOWN",
                }
            }
            Answer::Person | Answer::Machine => {
                let end_reason = if conversation.length > longest {
                    "timeout"
                } else if conversation.agent_hung_up {
                    "agent_hangup"
                } else {
                    "hangup"
                };
                let talk = conversation.length.min(longest);
                Plan { answer, ring: ring.min(patience), talk, billing, end_reason, sip_reason: "NORMAL" }
            }
        }
    }

    /// The transcript, written anew. Turns after the end of the call aren't cut off: see `heard`.
    pub fn conversation(&self) -> Conversation {
        let scripted = self.scripted();
        match tool_use::has_own(self) {
            true => Conversation { turns: tool_use::overlay(scripted.turns, &self.tool_uses), ..scripted },
            false => scripted,
        }
    }

    /// The conversation as it was written, whatever tools the agent has.
    pub fn scripted(&self) -> Conversation {
        compose(&Scene {
            seed: self.seed,
            salt: self.salt.clone(),
            language: self.language,
            family: self.family,
            inbound: self.inbound,
            scenario: self.scenario,
            prompt: self.prompt().into(),
            context: self.context(),
        })
    }

    /// Seconds of conversation there have been by now; none before the call was joined.
    pub fn heard(&self) -> Option<f64> {
        let joined = self.joined?;
        let until = self.ended.unwrap_or_else(|| self.clock.elapsed().min(joined + self.plan.talk));
        Some(until - joined)
    }

    /// A member of the request, or of the agent's template where the request says nothing.
    pub fn pick(&self, key: &str) -> Option<&Value> {
        let own = self.request.get(key).filter(|value| !value.is_null());
        own.or_else(|| self.agent.as_ref()?.get("callTemplate")?.get(key)).filter(|value| !value.is_null())
    }

    pub fn metadata(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.request.get("metadata").and_then(Value::as_object).into_iter().flatten()
    }

    pub fn agent_id(&self) -> Option<&str> {
        self.agent.as_ref()?.get("agentId")?.as_str()
    }

    /// The system prompt with its variables filled in.
    pub fn prompt(&self) -> String {
        let text = self.pick("systemPrompt").and_then(Value::as_str).unwrap_or("");
        fill_variables(text, &self.context())
    }

    pub fn context(&self) -> Map<String, Value> {
        self.request.get("templateContext").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
