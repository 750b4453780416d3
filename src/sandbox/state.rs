//! Everything the sandbox remembers, behind one lock that is never held across an await.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::call::Call;
use super::past::Past;
use super::rng::Rng;
use super::settings::SandboxSettings;

/// Webhooks under way at once.
const SENDING_AT_ONCE: usize = 128;

/// The sandbox itself: settings, accounts, logs.
pub struct Sandbox {
    settings: Mutex<SettingsBook>,
    state: Mutex<State>,
    throws: AtomicU64,
    pub(super) http: reqwest::Client,
    pub(super) sending: Semaphore,
    pub(super) receivers: super::receiver::Receivers,
    pub(super) crms: super::crm::Crms,
    /// How many calls, orders and letters go on by themselves, per account.
    under_way: watch::Sender<HashMap<String, usize>>,
    /// Ends every running call when cancelled.
    pub(super) shutdown: CancellationToken,
}

struct SettingsBook {
    base: Arc<SandboxSettings>,
    own: HashMap<String, Arc<SandboxSettings>>,
}

#[derive(Default)]
pub(super) struct State {
    pub accounts: HashMap<String, Account>,
    pub log: VecDeque<LogEntry>,
    pub deliveries: VecDeque<DeliveryEntry>,
}

/// What belongs to one API key.
#[derive(Default)]
pub(super) struct Account {
    pub agents: BTreeMap<String, Arc<Value>>,
    pub webhooks: BTreeMap<String, Value>,
    pub telephony: BTreeMap<String, Value>,
    pub calls: HashMap<Uuid, Call>,
    /// Oldest first, in the order of arrival.
    pub order: VecDeque<Uuid>,
    pub by_metadata: HashMap<(String, String), VecDeque<Uuid>>,
    pub calls_of_agent: HashMap<String, u64>,
    pub live: usize,
    pub max_live: usize,
    pub placed: u64,
    pub numbers: BTreeMap<String, Value>,
    pub orders: BTreeMap<String, Value>,
    pub connections: BTreeMap<String, Value>,
    /// Where carrier events go.
    pub carrier_url: Option<String>,
    /// The key of the carrier account that places this account's calls; its own key when unset.
    pub carrier_key: Option<String>,
    /// Numbers whose first request was refused on purpose.
    pub refused_once: std::collections::HashSet<String>,
    pub model_spend: f64,
    /// Calls that came in, by the carrier's id of their leg.
    pub lines: HashMap<String, Uuid>,
    /// Legs of people who are rung so that a call is given to them, or who have it.
    pub second_legs: HashMap<String, CancellationToken>,
    /// Commands for legs that were done.
    pub commands: std::collections::HashSet<String>,
    /// Numbers that were rung so, in order.
    pub rung: Vec<String>,
    /// What agents were told while they talked, in order.
    pub told: Vec<String>,
    /// Numbers at Twilio or Plivo that were given back there.
    pub taken_away: std::collections::HashSet<String>,
    /// What numbers at Twilio have set about calls, by number, in the fields of its API.
    pub voice_settings: BTreeMap<String, BTreeMap<String, String>>,
    /// Applications at Plivo, by id.
    pub applications: BTreeMap<String, serde_json::Map<String, Value>>,
    /// Calls that came in to numbers at Twilio or Plivo, by the carrier's id.
    pub came_in: HashMap<String, super::carriers::CameIn>,
    /// Calls from before the sandbox began.
    pub past: Arc<Past>,
    /// Pages of calls that were asked for: see the settings' `quirks`.
    pub pages_read: u32,
    pub slack: super::slack::SlackWorkspace,
    pub texts: super::texts::TextBook,
}

/// One request to create a call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    pub at: DateTime<Utc>,
    pub key: String,
    pub to: Option<String>,
    pub from: Option<String>,
    pub agent_id: Option<String>,
    pub metadata: Value,
    /// `placed`, `placed_no_answer`, `placed_garbage`, `placed_error`, `refused_error`, `refused_limit`, `refused_invalid`.
    pub outcome: String,
    /// Whether somebody's phone rang because of this request.
    pub placed: bool,
    pub call_id: Option<Uuid>,
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryEntry {
    pub at: DateTime<Utc>,
    pub key: String,
    pub event: String,
    pub event_id: String,
    pub attempt: u32,
    pub duplicate: bool,
    /// The HTTP status; none when no answer came.
    pub status: Option<u16>,
}

impl Sandbox {
    /// A new sandbox, with the state file's contents if there is one. Doesn't listen yet: see `serve` and `router`.
    pub fn new(settings: SandboxSettings) -> Arc<Sandbox> {
        patchbay_providers::http::use_ring();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(std::time::Duration::from_secs(15))
            .build()
            .expect("an HTTP client without special options");
        let sandbox = Sandbox {
            state: Mutex::new(super::keep::load(&settings)),
            settings: Mutex::new(SettingsBook { base: Arc::new(settings), own: HashMap::new() }),
            throws: AtomicU64::new(0),
            http,
            sending: Semaphore::new(SENDING_AT_ONCE),
            receivers: super::receiver::Receivers::default(),
            crms: super::crm::Crms::default(),
            under_way: watch::Sender::default(),
            shutdown: CancellationToken::new(),
        };
        Arc::new(sandbox)
    }

    /// The settings that hold for an account.
    pub fn settings_for(&self, key: &str) -> Arc<SandboxSettings> {
        let book = self.settings.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        book.own.get(key).unwrap_or(&book.base).clone()
    }

    /// The settings of accounts without their own.
    pub fn settings(&self) -> Arc<SandboxSettings> {
        self.settings_for("")
    }

    /// Changes the settings of one account, or with `None` the common ones (accounts with their own keep those).
    pub fn set_settings(&self, key: Option<&str>, settings: SandboxSettings) {
        let mut book = self.settings.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match key {
            Some(key) => {
                book.own.insert(key.to_owned(), Arc::new(settings));
            }
            None => book.base = Arc::new(settings),
        }
    }

    /// Takes the lock.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Works on an account, which comes into being when it is first asked for.
    pub(super) fn with_account<R>(&self, key: &str, work: impl FnOnce(&mut Account) -> R) -> R {
        let settings = self.settings_for(key);
        let mut state = self.state();
        let account = state
            .accounts
            .entry(key.to_owned())
            .or_insert_with(|| super::telnyx::numbers::starter_account(key, &settings));
        work(account)
    }

    /// Starts something that goes on by itself on behalf of an account.
    pub(super) fn begin<F>(self: &Arc<Self>, key: &str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.under_way.send_modify(|counts| *counts.entry(key.to_owned()).or_default() += 1);
        let turn = Turn { sandbox: self.clone(), key: key.to_owned() };
        tokio::spawn(async move {
            let _turn = turn;
            future.await;
        });
    }

    /// Waits until all calls of an account have ended, its orders are decided, and everybody has been told.
    pub async fn settle(&self, key: &str) {
        // Fails only when there is no sender any more, and we hold it.
        let _ = self.under_way.subscribe().wait_for(|counts| !counts.contains_key(key)).await;
    }

    /// A fresh stream of chance.
    pub(super) fn rng(&self, purpose: &str) -> Rng {
        let throw = self.throws.fetch_add(1, Ordering::Relaxed);
        Rng::new(self.settings().seed, &format!("{purpose}:{throw}"))
    }

    pub(super) fn log(&self, entry: LogEntry) {
        let most = self.settings().max_log;
        let mut state = self.state();
        state.log.push_back(entry);
        while state.log.len() > most {
            state.log.pop_front();
        }
    }

    pub(super) fn log_delivery(&self, entry: DeliveryEntry) {
        let most = self.settings().max_log;
        let mut state = self.state();
        state.deliveries.push_back(entry);
        while state.deliveries.len() > most {
            state.deliveries.pop_front();
        }
    }

    /// Figures per account: `{key: {requests, placed, live, maxLive, calls}}`.
    pub fn gauges(&self) -> Value {
        let state = self.state();
        let mut requests: HashMap<&str, u64> = HashMap::new();
        for entry in &state.log {
            *requests.entry(entry.key.as_str()).or_default() += 1;
        }
        let accounts = state.accounts.iter().map(|(key, account)| {
            let figures = json!({
                "requests": requests.get(key.as_str()).copied().unwrap_or(0),
                "placed": account.placed,
                "live": account.live,
                "maxLive": account.max_live,
                "calls": account.calls.len(),
            });
            (key.clone(), figures)
        });
        Value::Object(accounts.collect())
    }

    /// Every create request so far, oldest first; of one account if a key is given.
    pub fn call_log(&self, key: Option<&str>) -> Vec<LogEntry> {
        self.state().log.iter().filter(|entry| key.is_none_or(|key| entry.key == key)).cloned().collect()
    }
}

/// Counts as under way until it is dropped, also by a panic.
struct Turn {
    sandbox: Arc<Sandbox>,
    key: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.sandbox.under_way.send_modify(|counts| {
            if let Some(count) = counts.get_mut(&self.key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&self.key);
                }
            }
        });
    }
}

impl Account {
    /// Takes in a call that was just placed, and drops the oldest ended one if there are too many.
    pub fn add_call(&mut self, call: Call, max_calls: usize) {
        self.live += 1;
        self.max_live = self.max_live.max(self.live);
        self.placed += 1;
        self.take_back(call);
        while self.calls.len() > max_calls {
            let Some(at) = self.order.iter().position(|id| self.calls.get(id).is_none_or(|call| call.ended.is_some()))
            else {
                break;
            };
            let id = self.order[at];
            self.drop_call(id);
        }
    }

    /// Takes in a call of an earlier run.
    pub fn take_back(&mut self, call: Call) {
        for (name, value) in call.metadata() {
            if let Some(value) = value.as_str() {
                self.by_metadata.entry((name.clone(), value.to_owned())).or_default().push_back(call.id);
            }
        }
        if let Some(agent_id) = call.agent_id() {
            *self.calls_of_agent.entry(agent_id.to_owned()).or_default() += 1;
        }
        self.order.push_back(call.id);
        self.calls.insert(call.id, call);
    }

    /// Forgets a call with everything that belongs to it.
    pub fn drop_call(&mut self, id: Uuid) -> bool {
        if self.order.front() == Some(&id) {
            self.order.pop_front();
        } else {
            self.order.retain(|known| *known != id);
        }
        let Some(call) = self.calls.remove(&id) else {
            return false;
        };
        for (name, value) in call.metadata() {
            let entry = (name.clone(), value.as_str().unwrap_or("").to_owned());
            if let Some(ids) = self.by_metadata.get_mut(&entry) {
                ids.retain(|known| *known != id);
                if ids.is_empty() {
                    self.by_metadata.remove(&entry);
                }
            }
        }
        true
    }

    /// Calls that carry the metadata entry, oldest first.
    pub fn calls_with(&self, name: &str, value: &str) -> Vec<Uuid> {
        self.by_metadata
            .get(&(name.to_owned(), value.to_owned()))
            .map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }
}
