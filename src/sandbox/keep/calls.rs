//! Calls that are over stand in a file beside the state file, a line each, so that their words and recordings can still be had after a
//! restart. A call follows from its request and its seed; what else happened to it, the line says.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::call::{Call, NewCall, Steer};
use crate::settings::SandboxSettings;
use crate::state::{Sandbox, State};
use crate::tool_use::ToolUse;

/// The newest calls that a restart brings back.
const MOST: usize = 3_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    id: Uuid,
    salt: String,
    at: DateTime<Utc>,
    agent: Option<String>,
    request: Map<String, Value>,
    to: Option<String>,
    from: Option<String>,
    inbound: bool,
    /// How it went, in the words of `lib.rs`.
    outcome: String,
    joined: Option<f64>,
    ended: f64,
    end_reason: String,
    #[serde(default)]
    tool_uses: Vec<ToolUse>,
}

/// The line of a call that was deleted: the one before it counts no more.
#[derive(Serialize, Deserialize)]
struct Gone {
    key: String,
    gone: Uuid,
}

fn path_of(settings: &SandboxSettings) -> Option<PathBuf> {
    settings.state_file.as_ref().map(|path| path.with_extension("calls"))
}

impl Sandbox {
    /// Adds a call that is over. What cannot be written is only missing after a restart.
    pub(crate) fn keep_call(&self, key: &str, call: &Call) {
        let Some(ended) = call.ended else { return };
        let kept = Kept {
            key: key.to_owned(),
            id: call.id,
            salt: call.salt().to_owned(),
            at: call.clock.at(0.0),
            agent: call.agent_id().map(str::to_owned),
            request: call.request.clone(),
            to: call.to.clone(),
            from: call.from.clone(),
            inbound: call.inbound,
            outcome: call.outcome().to_owned(),
            joined: call.joined,
            ended,
            end_reason: call.end_reason.unwrap_or("hangup").to_owned(),
            tool_uses: call.tool_uses.clone(),
        };
        self.add_line(&kept);
    }

    /// A call was deleted: it does not come back.
    pub(crate) fn keep_deletion(&self, key: &str, id: Uuid) {
        self.add_line(&Gone { key: key.to_owned(), gone: id });
    }

    fn add_line(&self, line: &impl Serialize) {
        let Some(path) = path_of(&self.settings()) else { return };
        let written = serde_json::to_string(line).map_err(std::io::Error::from).and_then(|line| {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
            // One write for one line: two calls that end at once do not mix.
            file.write_all(format!("{line}\n").as_bytes())
        });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a call of the sandbox can't be kept");
        }
    }
}

/// Brings back the calls of the file, for accounts that are there.
pub(super) fn load(state: &mut State, settings: &SandboxSettings) {
    let Some(path) = path_of(settings) else { return };
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let lines: Vec<&str> = text.lines().collect();
    let newest = &lines[lines.len().saturating_sub(MOST)..];
    if newest.len() < lines.len() {
        shorten(&path, newest);
    }
    let gone: HashSet<(String, Uuid)> = newest
        .iter()
        .filter_map(|line| serde_json::from_str::<Gone>(line).ok())
        .map(|Gone { key, gone }| (key, gone))
        .collect();
    // A line that was cut short by the end of the process is left out.
    for kept in newest.iter().filter_map(|line| serde_json::from_str::<Kept>(line).ok()) {
        if gone.contains(&(kept.key.clone(), kept.id)) {
            continue;
        }
        let Some(account) = state.accounts.get_mut(&kept.key) else { continue };
        let agent = kept.agent.as_ref().and_then(|id| account.agents.get(id)).map(Arc::clone);
        let steer = Steer {
            id: kept.id,
            salt: kept.salt,
            at: Some(kept.at),
            speed: 1.0,
            campaign_type: Steer::campaign_type(&kept.request),
            outcome: Some(kept.outcome),
        };
        let new = NewCall { agent, request: kept.request, to: kept.to, from: kept.from, inbound: kept.inbound };
        let mut call = Call::steered(new, settings, steer).over();
        call.joined = kept.joined;
        call.tool_uses = kept.tool_uses;
        call.ended = Some(kept.ended);
        let known = ["unjoined", "agent_hangup", "timeout", "connection_error"];
        call.end_reason = Some(known.into_iter().find(|reason| *reason == kept.end_reason).unwrap_or("hangup"));
        account.take_back(call);
    }
}

fn shorten(path: &Path, newest: &[&str]) {
    let fresh = path.with_extension("calls.new");
    let written = std::fs::write(&fresh, newest.join("\n") + "\n").and_then(|()| std::fs::rename(&fresh, path));
    if let Err(error) = written {
        tracing::warn!(path = %path.display(), %error, "the sandbox's file of calls can't be shortened");
    }
}
