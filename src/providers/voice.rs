//! What a voice service can do, in words that fit any of them.

pub use super::carrier::Trunk;
use super::error::ProviderError;
use super::sealed::Secret;
pub use super::voice_agent::{
    AgentPage, AgentSpec, Fallback, FirstSpeaker, HeldAgent, InactivityMessage, NamedAgent, Opening, SilenceEnd,
};
pub use super::voice_carrier::{CarrierAccount, HeldCarrier, HeldTrunk};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, TryStreamExt};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A service that holds spoken conversations. Ids are the service's own.
#[async_trait]
pub trait VoiceProvider: Send + Sync {
    /// The service's lower-case name, as stored beside its ids.
    fn name(&self) -> &'static str;
    /// Proves that the credentials work.
    async fn check_credentials(&self) -> Result<VoiceAccount, ProviderError>;
    /// Every voice the account may use.
    async fn list_voices(&self) -> Result<Vec<Voice>, ProviderError>;
    /// The sample at a voice's `preview_url`.
    async fn voice_sample(&self, preview_url: &str) -> Result<Recording, ProviderError>;
    /// The names of the speech models.
    async fn list_models(&self) -> Result<Vec<String>, ProviderError>;
    /// Makes an agent and returns its id. Not safe to repeat.
    async fn create_agent(&self, agent: &AgentSpec) -> Result<String, ProviderError>;
    /// Agents whose name holds these words. Look here before a creation is repeated.
    async fn find_agents(&self, words: &str) -> Result<Vec<NamedAgent>, ProviderError>;
    /// One page of the agents whose name holds these words; of all with none. Go on with the page's cursor.
    async fn list_agents(&self, words: &str, cursor: Option<&str>) -> Result<AgentPage, ProviderError>;
    /// An agent as the service has it now.
    async fn read_agent(&self, agent_id: &str) -> Result<HeldAgent, ProviderError>;
    /// Brings an agent into the given state. What else the service has of it stays. Gives what the service has after that.
    async fn update_agent(&self, agent_id: &str, agent: &AgentSpec) -> Result<HeldAgent, ProviderError>;
    /// Deletes an agent; one that is not there is deleted too. Its calls stay.
    async fn delete_agent(&self, agent_id: &str) -> Result<(), ProviderError>;
    /// Starts a call. Not safe to repeat: put an id of your own into the metadata, and when
    /// [`ProviderError::outcome_unknown`] is true look for it with [`VoiceProvider::find_calls_by_metadata`].
    async fn create_call(&self, call: &NewVoiceCall) -> Result<VoiceCall, ProviderError>;
    /// One call as it is now.
    async fn get_call(&self, call_id: &str) -> Result<VoiceCall, ProviderError>;
    /// All calls that carry this metadata entry.
    async fn find_calls_by_metadata(&self, key: &str, value: &str) -> Result<Vec<VoiceCall>, ProviderError>;
    /// One page of the calls that `which` names. Go on with the page's cursor.
    async fn list_calls(&self, which: &CallsAsk, cursor: Option<&str>) -> Result<CallsPage, ProviderError>;
    /// Everything said in the call, in order.
    async fn list_messages(&self, call_id: &str) -> Result<Vec<VoiceMessage>, ProviderError>;
    /// The sound of the call. `NotFound` when nothing was recorded.
    async fn recording(&self, call_id: &str) -> Result<Recording, ProviderError>;
    /// Ends a live call, after saying the message if there is one. `Rejected` when the call isn't live.
    async fn hang_up(&self, call_id: &str, message: Option<&str>) -> Result<(), ProviderError>;
    /// Tells the agent of a live call something at once, as if it had been written into the conversation. `Rejected` when the call isn't
    /// live. Safe to repeat: it is told twice then.
    async fn tell(&self, call_id: &str, text: &str) -> Result<(), ProviderError>;
    /// Asks for all call events at this address, signed with this secret. Returns the registration's id.
    /// Not safe to repeat.
    async fn register_webhook(&self, url: &str, secret: &Secret<String>) -> Result<String, ProviderError>;
    /// The carrier account that the service dials through. None: it has none yet.
    async fn carrier_account(&self) -> Result<Option<HeldCarrier>, ProviderError>;
    /// Gives the service the account to dial through, in the place of what is held, and reads it back. What else is set there, such as
    /// who may call in, stays. Safe to repeat.
    async fn set_carrier_account(&self, account: &CarrierAccount) -> Result<HeldCarrier, ProviderError>;
    /// The account at another carrier that the service dials through. None: it has none.
    async fn trunk_account(&self, trunk: Trunk) -> Result<Option<HeldTrunk>, ProviderError>;
    /// Gives the service an account at another carrier, in the place of what is held, and reads it back. What else is set there stays.
    /// Safe to repeat.
    async fn set_trunk_account(
        &self,
        trunk: Trunk,
        account_id: &str,
        token: &Secret<String>,
    ) -> Result<HeldTrunk, ProviderError>;
    /// Takes the account at another carrier away, if it is this one. Safe to repeat.
    async fn remove_trunk_account(&self, trunk: Trunk, account_id: &str) -> Result<(), ProviderError>;
}

/// What the service says about the account.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceAccount {
    /// The account's name at the service.
    pub name: String,
    /// Calls going on now.
    pub active_calls: u32,
    /// Calls allowed at once, when there is a limit.
    pub concurrent_calls_limit: Option<u32>,
}

/// A voice that an agent can speak with.
#[derive(Debug, Clone, PartialEq)]
pub struct Voice {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Where a sample can be heard.
    pub preview_url: Option<String>,
}

/// A call to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVoiceCall {
    pub agent_id: String,
    pub line: Line,
    /// Values for the prompt's variables: a JSON object.
    pub variables: Value,
    /// Comes back with the call and its events, and can be searched for.
    pub metadata: BTreeMap<String, String>,
    /// `None` keeps what the agent has.
    pub first_speaker: Option<FirstSpeaker>,
    /// `None` keeps what the agent has.
    pub recording_enabled: Option<bool>,
    /// `None` keeps what the agent has.
    pub max_duration: Option<Duration>,
    /// How long the other side may take to join.
    pub join_timeout: Option<Duration>,
    /// What requests for tools of ours will show: see `voice_tools`.
    pub tool_token: Option<Secret<String>>,
    /// Where the carrier tells how its leg goes, when the service dials.
    pub leg_news_url: Option<String>,
}

/// How the other side is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The service dials. Both numbers are E.164. `trunk`: the carrier of `from`; none: the one that the client is set up for.
    Phone { to: String, from: String, trunk: Option<Trunk> },
    /// A browser joins at the call's `join_url`.
    Browser,
    /// The carrier has somebody on the line already, and joins at the call's `join_url`. `trunk`: as above.
    Joined { trunk: Option<Trunk> },
}

/// A call as the service sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceCall {
    pub id: String,
    pub agent_id: Option<String>,
    pub created: Option<DateTime<Utc>>,
    pub joined: Option<DateTime<Utc>>,
    pub ended: Option<DateTime<Utc>>,
    pub end_reason: Option<EndReason>,
    /// How the telephone side ended, for calls over SIP.
    pub sip_termination: Option<SipTermination>,
    /// What the service counted. What it charges for is [`VoiceCall::charged_seconds`].
    pub billed_seconds: Option<f64>,
    /// Telephone time billed on top, for calls over SIP.
    pub sip_billed_seconds: Option<f64>,
    /// The service's word for the state of its bill.
    pub billing_status: String,
    pub bill: Bill,
    pub direction: CallDirection,
    /// E.164, when the service says so.
    pub to: Option<String>,
    /// E.164, when the service says so.
    pub from: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub join_url: Option<String>,
    pub summary: Option<String>,
    pub short_summary: Option<String>,
    /// `None`: the service doesn't say.
    pub is_recorded: Option<bool>,
    pub model: Option<String>,
    pub voice: Option<String>,
    /// What the agent was told, with its variables filled in.
    pub system_prompt: Option<String>,
}

impl VoiceCall {
    /// A call that the service no longer knows: over, and nothing more will be heard of it.
    pub fn ended_unheard(id: &str, at: DateTime<Utc>) -> Self {
        Self {
            id: id.to_owned(),
            agent_id: None,
            created: None,
            joined: None,
            ended: Some(at),
            end_reason: Some(EndReason::SystemError),
            sip_termination: None,
            billed_seconds: None,
            sip_billed_seconds: None,
            billing_status: String::new(),
            bill: Bill::Open,
            direction: CallDirection::Outbound,
            to: None,
            from: None,
            metadata: BTreeMap::new(),
            join_url: None,
            summary: None,
            short_summary: None,
            is_recorded: None,
            model: None,
            voice: None,
            system_prompt: None,
        }
    }
}

impl VoiceCall {
    /// Waiting, live or done, from the times.
    pub fn stage(&self) -> CallStage {
        match (self.joined, self.ended) {
            (_, Some(_)) => CallStage::Done,
            (Some(_), None) => CallStage::Live,
            (None, None) => CallStage::Waiting,
        }
    }

    /// The earliest moment that is known of it.
    pub fn began(&self) -> Option<DateTime<Utc>> {
        self.created.or(self.joined).or(self.ended)
    }

    /// Seconds that cost money; `None` while that isn't known, which isn't the same as none.
    pub fn charged_seconds(&self) -> Option<f64> {
        match self.bill {
            Bill::Open => None,
            Bill::Free | Bill::Refunded => Some(0.0),
            Bill::Billed => self.billed_seconds,
        }
    }

    /// Seconds from joining to the end; zero when nobody joined, `None` while the call goes on.
    pub fn talk_seconds(&self) -> Option<f64> {
        let ended = self.ended?;
        let joined = self.joined.unwrap_or(ended);
        Some((ended - joined).num_milliseconds().max(0) as f64 / 1000.0)
    }
}

/// Where the service's bill for a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bill {
    /// Pending, or in a state that this version doesn't know: nothing can be said about the price.
    Open,
    /// It cost nothing.
    Free,
    Billed,
    /// It was billed and the money was given back.
    Refunded,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStage {
    Waiting,
    Live,
    Done,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDirection {
    Inbound,
    Outbound,
    /// No telephone: a browser or an own connection.
    Web,
}

/// An enum over words of a service, where an unknown word is kept.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word this version doesn't know.
            Other(String),
        }

        impl $name {
            /// The service's own word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}
pub(super) use words;

words! {
    /// Why a call ended.
    EndReason {
        /// Nobody joined in time: not answered.
        Unjoined = "unjoined",
        /// The other side hung up.
        Hangup = "hangup",
        /// The agent hung up.
        AgentHangup = "agent_hangup",
        /// The longest duration was reached.
        Timeout = "timeout",
        ConnectionError = "connection_error",
        SystemError = "system_error",
    }
}

words! {
    /// How the telephone side of a call ended.
    SipTermination {
        Normal = "SIP_TERMINATION_NORMAL",
        InvalidNumber = "SIP_TERMINATION_INVALID_NUMBER",
        Timeout = "SIP_TERMINATION_TIMEOUT",
        DestinationUnavailable = "SIP_TERMINATION_DESTINATION_UNAVAILABLE",
        Busy = "SIP_TERMINATION_BUSY",
        Canceled = "SIP_TERMINATION_CANCELED",
        Rejected = "SIP_TERMINATION_REJECTED",
        Unknown = "SIP_TERMINATION_UNKNOWN",
    }
}

words! {
    /// Who or what a message comes from.
    MessageRole {
        User = "MESSAGE_ROLE_USER",
        Agent = "MESSAGE_ROLE_AGENT",
        ToolCall = "MESSAGE_ROLE_TOOL_CALL",
        ToolResult = "MESSAGE_ROLE_TOOL_RESULT",
    }
}

/// Which calls are listed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsAsk {
    /// The span in which they were created, both ends included.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The service's ids; empty for all agents.
    pub agents: Vec<String>,
    pub newest_first: bool,
    pub page_size: u32,
}

/// One page of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct CallsPage {
    /// Those that were asked for: what a service adds because it knows a filter not or only by the day is left out.
    pub calls: Vec<VoiceCall>,
    /// The oldest and the newest moment on the page, of those left out too.
    pub reaches: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// One sentence for each entry that is no call.
    pub unreadable: Vec<String>,
    /// Hand it back for the next page; `None` at the end. Opaque, safe to store.
    pub next: Option<String>,
    /// How many calls there are in all, when the service counts them.
    pub total: Option<u64>,
}

/// One thing said, or one use of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct VoiceMessage {
    pub role: MessageRole,
    /// Speech, or a tool's arguments or result.
    pub text: String,
    pub tool_name: Option<String>,
    /// Ties a tool's result to its call.
    pub invocation_id: Option<String>,
    pub error_details: Option<String>,
    /// Seconds from the start of the call.
    pub start_seconds: Option<f64>,
    /// Seconds from the start of the call.
    pub end_seconds: Option<f64>,
}

/// The sound of a call, on its way.
pub struct Recording {
    /// Such as `audio/wav`.
    pub content_type: String,
    /// In bytes, when known.
    pub length: Option<u64>,
    /// The pieces; an error ends the stream. The size limit is already enforced.
    pub bytes: BoxStream<'static, Result<Bytes, ProviderError>>,
}

impl Recording {
    /// Reads everything into memory. For short sounds; prefer the stream.
    pub async fn read_all(self) -> Result<Vec<u8>, ProviderError> {
        self.bytes
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    }
}
