//! What can be set about the sandbox, before it starts or through `/sandbox/settings`.

use serde::{Deserialize, Serialize};

/// Shares of outgoing calls that are not answered by a person; each 0 to 1, the rest is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutcomeRates {
    pub no_answer: f64,
    pub busy: f64,
    pub declined: f64,
    pub voicemail: f64,
    /// The carrier doesn't know the number. Found out while dialling, so the call exists.
    pub invalid_number: f64,
    /// Answered, and the line breaks in the middle.
    pub dropped: f64,
}

impl Default for OutcomeRates {
    fn default() -> Self {
        OutcomeRates {
            no_answer: 0.17,
            busy: 0.05,
            declined: 0.04,
            voicemail: 0.13,
            invalid_number: 0.01,
            dropped: 0.01,
        }
    }
}

impl OutcomeRates {
    /// Everybody answers and nothing breaks.
    pub fn all_answered() -> Self {
        OutcomeRates { no_answer: 0.0, busy: 0.0, declined: 0.0, voicemail: 0.0, invalid_number: 0.0, dropped: 0.0 }
    }
}

/// Faults of the HTTP surface, as shares (0 to 1) of the requests they apply to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRates {
    /// 500, and no call was placed.
    pub error: f64,
    /// 500, although the call was placed.
    pub error_after_accept: f64,
    /// 429 with `Retry-After`; nothing placed.
    pub limited: f64,
    /// 200 with an HTML body, although the call was placed.
    pub garbage: f64,
    /// The call is placed and the answer never comes.
    pub timeout: f64,
}

/// What comes in the place of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoSound {
    /// A page of HTML that calls itself `audio/wav`.
    Page,
    /// A JSON document with status 200.
    Document,
    /// Nothing, with status 200.
    Empty,
    /// A redirect to an address that has expired: 403.
    Expired,
}

/// How an answer of a model says what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddUsage {
    /// The counts are null.
    Nulls,
    /// There is no `usage`.
    Absent,
    /// The counts and the cost are texts.
    Texts,
}

/// How a model answers that was asked for a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddAnswer {
    /// In a code fence.
    Fenced,
    /// With sentences before and after it.
    Prose,
    /// As a list of parts.
    Parts,
    /// It would not.
    Refused,
    /// Cut off at the longest length, unless 8,000 tokens were allowed.
    CutOff,
    /// It asks for a tool.
    Tool,
    /// With nothing.
    Empty,
    /// With a document of another form.
    OtherForm,
    /// The same, until it is told that it was not the form.
    OtherFormOnce,
}

/// What real services do now and then, each seen in the field. All off by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Summaries and messages hold half an emoji, an escape that stands for no character.
    pub half_emoji: bool,
    /// Events have a `joined` that is no time, and numbers where texts should be.
    pub odd_fields: bool,
    /// A call's bill is refunded after it was sent.
    pub refund: bool,
    /// A bill says that it is settled and not how long it was.
    pub bill_without_length: bool,
    /// The carrier's cost of a leg comes before any other event of it.
    pub cost_first: bool,
    /// So many questions for a recording get 404 before it is there.
    pub recording_late: u32,
    pub no_sound: Option<NoSound>,
    pub odd_usage: Option<OddUsage>,
    pub odd_answer: Option<OddAnswer>,
    /// A model that was given tools asks for the first of them again and again.
    pub loops_on_tools: bool,
    /// Schemas with words that some hosts refuse get 400.
    pub strict_schemas: bool,
    /// Every so-manieth page of calls that is asked for gets 429 with `Retry-After`; 0: none.
    pub pages_limited_every: u32,
    /// So many calls come to light whenever the first of several pages of calls was read, half of them before the end of that page.
    pub pages_grow: u32,
    /// Cursors of lists of calls are positions: calls that come in meanwhile move the others.
    pub pages_by_position: bool,
    /// Lists of calls never end: the second page names itself as the next one.
    pub pages_stuck: bool,
}

/// Every figure has a default, and a settings document may give only some of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    pub seed: u64,
    /// Sandbox seconds that pass in a real second: at 60, a call of three minutes takes three seconds.
    /// It holds for calls created from now on and scales webhook retries.
    pub speed: f64,
    pub rates: OutcomeRates,
    /// Sandbox seconds until somebody answers (a no-answer rings for the join timeout).
    pub ring_secs: [f64; 2],
    /// Sandbox seconds from the end of a call to its bill.
    pub billing_secs: [f64; 2],
    /// Faults when a call is created.
    pub create_faults: FaultRates,
    /// Faults of every other Ultravox and Telnyx request (only `error`, `limited`, `garbage`, `timeout`).
    pub read_faults: FaultRates,
    /// Faults of chat completions (only `error`, `limited`, `garbage`, `timeout`).
    pub model_faults: FaultRates,
    pub quirks: Quirks,
    /// Real milliseconds before an answer.
    pub latency_ms: [u64; 2],
    /// The figure in `Retry-After`, real seconds.
    pub retry_after_secs: u64,
    /// How long an answer that never comes keeps its connection open, real seconds.
    pub hang_secs: u64,
    /// Real milliseconds before a webhook is sent.
    pub webhook_delay_ms: [u64; 2],
    /// Share of webhooks sent twice.
    pub duplicate_rate: f64,
    /// Share of webhooks held back by `reorder_ms`, so that later ones overtake them.
    pub reorder_rate: f64,
    pub reorder_ms: u64,
    /// Share of webhooks never sent at all.
    pub loss_rate: f64,
    /// Retries after a webhook was refused; the first after `webhook_retry_secs` sandbox seconds, then doubling.
    pub webhook_retries: u32,
    pub webhook_retry_secs: f64,
    /// Live calls an account may have before it gets 429.
    pub concurrency_limit: Option<usize>,
    /// Sandbox seconds until a number order succeeds.
    pub order_secs: f64,
    /// Share of number orders that fail.
    pub order_failure_rate: f64,
    /// Numbers an account owns from the beginning.
    pub starter_numbers: usize,
    /// Calls kept per account; the oldest ended ones go first.
    pub max_calls: usize,
    /// Entries of the request log that are kept.
    pub max_log: usize,
    /// Where agents, webhooks, numbers, orders and the past are kept over a restart; the newest calls stand in a file beside it.
    pub state_file: Option<std::path::PathBuf>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        SandboxSettings {
            seed: 1,
            speed: 1.0,
            rates: OutcomeRates::default(),
            ring_secs: [4.0, 18.0],
            billing_secs: [1.5, 6.0],
            create_faults: FaultRates::default(),
            read_faults: FaultRates::default(),
            model_faults: FaultRates::default(),
            quirks: Quirks::default(),
            latency_ms: [5, 40],
            retry_after_secs: 5,
            hang_secs: 120,
            webhook_delay_ms: [0, 50],
            duplicate_rate: 0.0,
            reorder_rate: 0.0,
            reorder_ms: 1_500,
            loss_rate: 0.0,
            webhook_retries: 10,
            webhook_retry_secs: 30.0,
            concurrency_limit: None,
            order_secs: 8.0,
            order_failure_rate: 0.0,
            starter_numbers: 2,
            max_calls: 200_000,
            max_log: 200_000,
            state_file: None,
        }
    }
}

impl SandboxSettings {
    /// Quick, quiet and always answered: for tests that want nothing by chance.
    pub fn for_tests() -> Self {
        SandboxSettings {
            speed: 200.0,
            rates: OutcomeRates::all_answered(),
            latency_ms: [0, 0],
            webhook_delay_ms: [0, 0],
            retry_after_secs: 1,
            ..SandboxSettings::default()
        }
    }

    /// These settings with the members of a JSON object laid over them. Errors in plain words.
    pub fn with(&self, change: &serde_json::Value) -> Result<SandboxSettings, String> {
        let mut base = serde_json::to_value(self).map_err(|error| error.to_string())?;
        lay_over(&mut base, change);
        let settings: SandboxSettings = serde_json::from_value(base).map_err(|error| error.to_string())?;
        if !(0.01..=100_000.0).contains(&settings.speed) {
            return Err("speed must be between 0.01 and 100000".to_owned());
        }
        Ok(settings)
    }
}

fn lay_over(base: &mut serde_json::Value, change: &serde_json::Value) {
    match (base, change) {
        (serde_json::Value::Object(base), serde_json::Value::Object(change)) => {
            for (key, value) in change {
                lay_over(base.entry(key.clone()).or_insert(serde_json::Value::Null), value);
            }
        }
        (base, change) => *base = change.clone(),
    }
}
