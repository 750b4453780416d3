//! Ultravox: speech in, speech out, over telephone or browser.
//!
//! The surprising parts: a call has no status field (its times tell), there is no idempotency key (search by metadata
//! before a repeat), and the transcript is the list of messages.

mod agent;
mod call;
mod calls;
mod carrier;
mod request;
mod tools;
mod trunk;
mod webhook;

pub use webhook::{WebhookEvent, WebhookKind};

use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient};
use super::sealed::Secret;
use super::voice::*;
use super::wire;
use async_trait::async_trait;
use chrono::SecondsFormat;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

/// The service's name in errors and beside its ids.
pub const NAME: &str = "ultravox";
/// The service's public address.
pub const BASE_URL: &str = "https://api.ultravox.ai/api";
/// A list longer than this many pages is a loop.
const MOST_PAGES: usize = 1000;

/// How this account is reached and how it dials.
#[derive(Debug, Clone)]
pub struct UltravoxConfig {
    /// [`BASE_URL`], or a stand-in's address.
    pub base_url: String,
    pub api_key: Secret<String>,
    /// Which telephone service carries the calls. Its credentials are stored at Ultravox.
    pub carrier: Carrier,
}

/// The telephone service under the calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Carrier {
    Telnyx,
    Twilio,
    Plivo,
    /// Calls go to `sip:<number>@<domain>`.
    Sip {
        domain: String,
        username: Option<String>,
        password: Option<Secret<String>>,
    },
}

/// The client for one account.
#[derive(Clone)]
pub struct Ultravox {
    endpoint: Endpoint,
    carrier: Carrier,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default, deserialize_with = "wire::text")]
    next: Option<String>,
    /// Read whole or not at all, and never taken for empty when it is missing: "there is no such call" has a call dialled again.
    results: Vec<T>,
    #[serde(default, deserialize_with = "wire::count")]
    total: Option<u64>,
}

impl Ultravox {
    /// Fails when the address or the key can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, config: &UltravoxConfig) -> Result<Self, ProviderError> {
        let endpoint = Endpoint::new(http, NAME, &config.base_url, ("x-api-key", ""), &config.api_key, own_words)?;
        Ok(Self { endpoint, carrier: config.carrier.clone() })
    }

    /// An agent as the service has it now.
    async fn held(&self, agent_id: &str) -> Result<agent::Held, ProviderError> {
        self.endpoint.json(Ask::get(&["agents", agent_id])).await
    }

    /// Follows a list to its end. Page addresses are used for their query only: the key stays with the service.
    async fn all<T: DeserializeOwned>(&self, first: Ask) -> Result<Vec<T>, ProviderError> {
        let (mut all, mut continued): (Vec<T>, Option<String>) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page: Page<T> = self.endpoint.json(first.clone().continued(continued.clone())).await?;
            all.extend(page.results);
            let next = page.next.as_deref().and_then(query_of);
            match next {
                None => return Ok(all),
                same if same == continued => break,
                next => continued = next,
            }
        }
        Err(ProviderError::new(NAME, Kind::Garbage, "The list's pages never end"))
    }
}

#[async_trait]
impl VoiceProvider for Ultravox {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn check_credentials(&self) -> Result<VoiceAccount, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Account {
            #[serde(default, deserialize_with = "wire::text")]
            name: Option<String>,
            #[serde(default, deserialize_with = "wire::count")]
            active_calls: Option<u64>,
            #[serde(default, deserialize_with = "wire::count")]
            allowed_concurrent_calls: Option<u64>,
        }
        let account: Account = self.endpoint.json(Ask::get(&["accounts", "me"])).await?;
        Ok(VoiceAccount {
            name: account.name.unwrap_or_default(),
            // A count stays below a billion.
            active_calls: account.active_calls.unwrap_or(0) as u32,
            concurrent_calls_limit: account.allowed_concurrent_calls.map(|calls| calls as u32),
        })
    }

    async fn list_voices(&self) -> Result<Vec<Voice>, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Item {
            voice_id: String,
            #[serde(default, deserialize_with = "wire::text")]
            name: Option<String>,
            #[serde(default, deserialize_with = "wire::text")]
            description: Option<String>,
            #[serde(default, deserialize_with = "wire::text")]
            primary_language: Option<String>,
            #[serde(default, deserialize_with = "wire::text")]
            preview_url: Option<String>,
        }
        let voices: Vec<Item> = self.all(Ask::get(&["voices"])).await?;
        Ok(voices
            .into_iter()
            .map(|v| Voice {
                name: v.name.unwrap_or_else(|| v.voice_id.clone()),
                id: v.voice_id,
                description: v.description,
                language: v.primary_language,
                preview_url: v.preview_url,
            })
            .collect())
    }

    async fn voice_sample(&self, preview_url: &str) -> Result<Recording, ProviderError> {
        let file = self.endpoint.download_at(preview_url).await?;
        Ok(Recording { content_type: file.content_type, length: file.length, bytes: file.bytes })
    }

    async fn list_models(&self) -> Result<Vec<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Item {
            name: String,
        }
        let models: Vec<Item> = self.all(Ask::get(&["models"])).await?;
        Ok(models.into_iter().map(|m| m.name).collect())
    }

    async fn create_agent(&self, agent: &AgentSpec) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Made {
            agent_id: String,
        }
        let body = request::agent(agent).map_err(taken)?;
        let made: Made = self.endpoint.json(Ask::post(&["agents"], body)).await?;
        Ok(made.agent_id)
    }

    async fn find_agents(&self, words: &str) -> Result<Vec<NamedAgent>, ProviderError> {
        let found: Vec<AgentItem> = self.all(Ask::get(&["agents"]).query("search", words)).await?;
        Ok(named(found, words))
    }

    async fn list_agents(&self, words: &str, cursor: Option<&str>) -> Result<AgentPage, ProviderError> {
        let mut ask = Ask::get(&["agents"]).query("pageSize", "50");
        if !words.is_empty() {
            ask = ask.query("search", words);
        }
        let page: Page<AgentItem> = self.endpoint.json(ask.continued(cursor.map(str::to_owned))).await?;
        let next = page.next.as_deref().and_then(query_of).filter(|next| Some(next.as_str()) != cursor);
        Ok(AgentPage { agents: named(page.results, words), next })
    }

    async fn read_agent(&self, agent_id: &str) -> Result<HeldAgent, ProviderError> {
        Ok(self.held(agent_id).await?.read())
    }

    async fn update_agent(&self, agent_id: &str, agent: &AgentSpec) -> Result<HeldAgent, ProviderError> {
        // A PATCH has been seen to put the template that is sent in the place of the whole one, so it is sent whole: what else the agent
        // has, such as tools, stays. Then it is read back: what was lost is known now, and not when a caller needs it.
        let held = self.held(agent_id).await?.template();
        let foreign = request::foreign(&held);
        let body = request::agent_over(held, agent).map_err(taken)?;
        let tools = tools::names(body.pointer("/callTemplate/selectedTools"));
        self.endpoint.done(Ask::patch(&["agents", agent_id], body)).await?;
        let answer: Value = self.endpoint.json(Ask::get(&["agents", agent_id])).await?;
        let nothing = Map::new();
        let now = answer.get("callTemplate").and_then(Value::as_object).unwrap_or(&nothing);
        let lost = agent::lost(agent, &tools, &foreign, now);
        if !lost.is_empty() {
            let said = format!("It did not keep what the agent was sent: {}", lost.join(", "));
            return Err(ProviderError::new(NAME, Kind::Garbage, said));
        }
        let held = agent::Held::deserialize(&answer);
        held.map(agent::Held::read).map_err(|error| ProviderError::new(NAME, Kind::Garbage, error.to_string()))
    }

    async fn delete_agent(&self, agent_id: &str) -> Result<(), ProviderError> {
        agent::gone(self.endpoint.done(Ask::delete(&["agents", agent_id])).await)
    }

    async fn create_call(&self, new: &NewVoiceCall) -> Result<VoiceCall, ProviderError> {
        if let Some(key) = new.metadata.keys().find(|k| k.starts_with("ultravox.")) {
            let said = format!("Metadata named {key} is reserved: names must not start with ultravox.");
            return Err(ProviderError::new(NAME, Kind::Rejected, said));
        }
        let mut ask = Ask::post(&["agents", &new.agent_id, "calls"], request::call(new, &self.carrier));
        if let Carrier::Sip { password: Some(password), .. } = &self.carrier {
            ask = ask.hide(password);
        }
        if let Some(token) = &new.tool_token {
            ask = ask.hide(token);
        }
        self.endpoint.json::<call::Call>(ask).await.map(|call| call.0)
    }

    async fn get_call(&self, call_id: &str) -> Result<VoiceCall, ProviderError> {
        self.endpoint.json::<call::Call>(Ask::get(&["calls", call_id])).await.map(|call| call.0)
    }

    async fn find_calls_by_metadata(&self, key: &str, value: &str) -> Result<Vec<VoiceCall>, ProviderError> {
        let found: Vec<call::Call> = self.all(Ask::get(&["calls"]).query(&format!("metadata.{key}"), value)).await?;
        // A filter that the service ignored would answer with everybody's calls: check it here again.
        let matches = |c: &VoiceCall| c.metadata.get(key).is_some_and(|v| v == value);
        Ok(found.into_iter().map(|call| call.0).filter(matches).collect())
    }

    async fn list_calls(&self, which: &CallsAsk, cursor: Option<&str>) -> Result<CallsPage, ProviderError> {
        let mut ask = Ask::get(&["calls"])
            .query("fromDate", which.from.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            .query("toDate", which.to.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        for agent in &which.agents {
            ask = ask.query("agentIds", agent);
        }
        let sort = if which.newest_first { "-created" } else { "created" };
        let ask = ask.query("sort", sort).query("pageSize", which.page_size.to_string());
        let page: Page<Value> = self.endpoint.json(ask.continued(cursor.map(str::to_owned))).await?;
        let next = page.next.as_deref().and_then(query_of);
        Ok(calls::page(which, &page.results, next, page.total))
    }

    async fn list_messages(&self, call_id: &str) -> Result<Vec<VoiceMessage>, ProviderError> {
        let messages: Vec<call::Message> =
            self.all(Ask::get(&["calls", call_id, "messages"]).query("mode", "in_call")).await?;
        Ok(messages.into_iter().map(|message| message.0).collect())
    }

    async fn recording(&self, call_id: &str) -> Result<Recording, ProviderError> {
        let file = self.endpoint.download(Ask::get(&["calls", call_id, "recording"])).await?;
        Ok(Recording { content_type: file.content_type, length: file.length, bytes: file.bytes })
    }

    async fn hang_up(&self, call_id: &str, message: Option<&str>) -> Result<(), ProviderError> {
        let mut body = json!({"type": "hang_up"});
        if let Some(message) = message {
            body["message"] = json!(message);
        }
        // Hanging up twice does no harm: the second time the call isn't live.
        self.endpoint.done(Ask::post(&["calls", call_id, "send_data_message"], body).repeatable()).await
    }

    async fn tell(&self, call_id: &str, text: &str) -> Result<(), ProviderError> {
        let body = json!({"type": "user_text_message", "text": text, "urgency": "immediate"});
        self.endpoint.done(Ask::post(&["calls", call_id, "send_data_message"], body).repeatable()).await
    }

    async fn register_webhook(&self, url: &str, secret: &Secret<String>) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Made {
            webhook_id: String,
        }
        let body = json!({
            "url": url,
            "secrets": [secret.expose()],
            "events": ["call.started", "call.joined", "call.ended", "call.billed"],
        });
        let made: Made = self.endpoint.json(Ask::post(&["webhooks"], body).hide(secret)).await?;
        Ok(made.webhook_id)
    }

    async fn carrier_account(&self) -> Result<Option<HeldCarrier>, ProviderError> {
        Ok(carrier::held(&self.endpoint).await?.map(|held| carrier::read(&held)))
    }

    async fn set_carrier_account(&self, account: &CarrierAccount) -> Result<HeldCarrier, ProviderError> {
        carrier::set(&self.endpoint, account).await
    }

    async fn trunk_account(&self, trunk: Trunk) -> Result<Option<HeldTrunk>, ProviderError> {
        trunk::held(&self.endpoint, trunk).await
    }

    async fn set_trunk_account(
        &self,
        trunk: Trunk,
        account_id: &str,
        token: &Secret<String>,
    ) -> Result<HeldTrunk, ProviderError> {
        trunk::set(&self.endpoint, trunk, account_id, token).await
    }

    async fn remove_trunk_account(&self, trunk: Trunk, account_id: &str) -> Result<(), ProviderError> {
        trunk::remove(&self.endpoint, trunk, account_id).await
    }
}

/// An agent in a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentItem {
    agent_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    name: Option<String>,
}

/// A search that the service ignored would answer with every agent: it is checked here again.
fn named(found: Vec<AgentItem>, words: &str) -> Vec<NamedAgent> {
    let words = words.to_lowercase();
    let named = found.into_iter().map(|a| NamedAgent { id: a.agent_id, name: a.name.unwrap_or_default() });
    named.filter(|agent| agent.name.to_lowercase().contains(&words)).collect()
}

/// A tool there has the name of one of ours, and is not ours to replace.
fn taken(name: String) -> ProviderError {
    let said = format!("The agent has a tool {name} there that Patchbay has not set. Rename one of the two");
    ProviderError::new(NAME, Kind::Rejected, said)
}

/// The query of a page address, which is all that differs between pages.
fn query_of(address: &str) -> Option<String> {
    // Relative addresses are taken too.
    let base = Url::parse(BASE_URL).expect("a constant");
    base.join(address).ok()?.query().map(str::to_owned)
}

/// Errors come as `{"detail": "…"}` or as messages per field, nested like the request.
fn own_words(document: &Value) -> Option<String> {
    if let Some(detail) = document.get("detail").and_then(Value::as_str) {
        return Some(detail.to_owned());
    }
    let mut found = Vec::new();
    collect_fields("", document, &mut found);
    if found.is_empty() { None } else { Some(found.join("; ")) }
}

fn collect_fields(at: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if at.is_empty() => found.push(text.clone()),
        Value::String(text) => found.push(format!("{at}: {text}")),
        Value::Array(items) => items.iter().for_each(|item| collect_fields(at, item, found)),
        Value::Object(fields) => {
            for (name, item) in fields {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                collect_fields(&at, item, found);
            }
        }
        _ => {}
    }
}
