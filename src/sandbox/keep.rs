//! Keeps agents, webhooks, numbers and the past in a file, and calls in another one, so that a demo finds them again after a restart.

mod calls;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::past::Past;
use super::settings::SandboxSettings;
use super::state::{Account, Sandbox, State};

/// Reads the state file. A missing or unreadable one gives an empty state.
pub(super) fn load(settings: &SandboxSettings) -> State {
    let mut state = State::default();
    let Some(path) = &settings.state_file else {
        return state;
    };
    let Ok(text) = std::fs::read_to_string(path) else {
        return state;
    };
    let Ok(Value::Object(accounts)) = serde_json::from_str::<Value>(&text) else {
        tracing::warn!(path = %path.display(), "the sandbox's state file isn't readable; starting empty");
        return state;
    };
    for (key, kept) in accounts {
        let map = |name: &str| kept.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let word = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
        let account = Account {
            agents: map("agents").into_iter().map(|(id, agent)| (id, Arc::new(agent))).collect(),
            webhooks: map("webhooks").into_iter().collect(),
            telephony: map("telephony").into_iter().collect(),
            numbers: map("numbers").into_iter().collect(),
            orders: map("orders").into_iter().collect(),
            connections: map("connections").into_iter().collect(),
            carrier_url: word("carrierUrl"),
            carrier_key: word("carrierKey"),
            past: Arc::new(past(&kept, settings.seed)),
            ..Account::default()
        };
        state.accounts.insert(key, account);
    }
    calls::load(&mut state, settings);
    state
}

impl Sandbox {
    /// Writes the state file, if one is set. Called after every change of what is kept.
    pub(super) fn keep(&self) {
        let Some(path) = self.settings().state_file.clone() else {
            return;
        };
        let accounts: Map<String, Value> = {
            let state = self.state();
            state.accounts.iter().map(|(key, account)| (key.clone(), kept(account))).collect()
        };
        let fresh = path.with_extension("new");
        let written =
            std::fs::write(&fresh, Value::Object(accounts).to_string()).and_then(|()| std::fs::rename(&fresh, &path));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "the sandbox's state file can't be written");
        }
    }
}

/// The same calls as before: they follow from what they were drawn from.
fn past(kept: &Value, seed: u64) -> Past {
    let read = |name: &str| kept.get(name).cloned().unwrap_or_else(|| json!([]));
    let agents = serde_json::from_value(read("past")).unwrap_or_else(|error| {
        tracing::warn!(%error, "the past in the sandbox's state file isn't readable; going on without it");
        Vec::new()
    });
    Past::draw(agents, serde_json::from_value(read("pastGone")).unwrap_or_default(), seed)
}

fn kept(account: &Account) -> Value {
    json!({
        "agents": account.agents.iter().map(|(id, agent)| (id.clone(), (**agent).clone())).collect::<Map<_, _>>(),
        "webhooks": account.webhooks,
        "telephony": account.telephony,
        "numbers": account.numbers,
        "orders": account.orders,
        "connections": account.connections,
        "carrierUrl": account.carrier_url,
        "carrierKey": account.carrier_key,
        "past": account.past.agents,
        "pastGone": account.past.gone,
    })
}
