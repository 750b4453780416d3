mod account;

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use patchbay_shared::ids::ConnectionId;
use patchbay_shared::{AppError, FieldErrors, Stamp};

pub use account::{CheckedAccount, ModelAccountForm};

patchbay_shared::words! {
    /// How an account at an outside service is doing.
    pub IntegrationStatus: "integration_status" {
        Active = "active", "Connected", Ok;
        Inactive = "inactive", "Switched off", Mute;
        Error = "error", "Failing", Bad;
    }
    /// The outside services that Patchbay can use.
    pub Provider: "text" {
        Ultravox = "ultravox", "Ultravox", Mute;
        Telnyx = "telnyx", "Telnyx", Mute;
        Openrouter = "openrouter", "OpenRouter", Mute;
        Anthropic = "anthropic", "Anthropic", Mute;
        OpenaiCompatible = "openai_compatible", "OpenAI-compatible", Mute;
    }
    /// Real service, or Patchbay's own stand-in for it.
    pub Mode: "text" {
        Sandbox = "sandbox", "Sandbox", Info;
        Live = "live", "Live", Ok;
    }
}

impl Provider {
    /// It answers with language models. There may be several accounts of such services.
    pub fn has_models(self) -> bool {
        matches!(self, Provider::Openrouter | Provider::Anthropic | Provider::OpenaiCompatible)
    }

    /// What the service is for.
    pub fn purpose(self) -> &'static str {
        match self {
            Provider::Ultravox => "Voice: holds the conversations",
            Provider::Telnyx => "Telephony: phone numbers",
            Provider::Openrouter => "Models of many makers through one account",
            Provider::Anthropic => "Claude models, without anybody between",
            Provider::OpenaiCompatible => "OpenAI, and any server that speaks its form",
        }
    }

    /// Where its key is found.
    pub fn key_hint(self) -> &'static str {
        match self {
            Provider::Ultravox => {
                "In the Ultravox console under Settings, API keys. It begins with eight characters and a dot."
            }
            Provider::Telnyx => "In the Telnyx portal under Account settings, Keys & credentials, API keys.",
            Provider::Openrouter => "On openrouter.ai under Settings, Keys. It begins with sk-or-.",
            Provider::Anthropic => "In the Claude console under API keys. It begins with sk-ant-.",
            Provider::OpenaiCompatible => "On the server’s own page of keys.",
        }
    }
}

/// What a minute of talk costs at the voice service when nobody has set it, in USD.
pub const USUAL_VOICE_PRICE: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// The model for analyses when nobody has chosen one.
pub const USUAL_CHAT_MODEL: &str = "openai/gpt-5-mini";

/// What is set about a connection beside its credentials. Each service uses some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionSettings {
    /// Voice: USD per minute of talk.
    pub voice_price_per_minute: Option<Decimal>,
    /// Telephony: the service's id of the connection that incoming calls go to.
    pub call_connection_id: Option<String>,
    /// Voice: the service's id of our webhook registration.
    pub webhook_id: Option<String>,
    /// The account's name at the service, to notice when another account is connected.
    pub account: Option<String>,
    /// Telephony: how far the way to the voice service is set up.
    pub telephony: Option<TelephonySetup>,
}

/// The way between the carrier and the voice service, as it was when both were looked at last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TelephonySetup {
    /// The carrier's application of ours, which calls that come in go to.
    pub application_id: Option<String>,
    /// The carrier's id of the account.
    pub account_id: Option<String>,
    /// What is in the way, with what to do. None: nothing.
    pub error: Option<String>,
    /// The voice service dials through this account, which is another one: replacing it is for a person to decide.
    pub other_account: Option<String>,
    /// What was found changed since at one of the two, by looking: how, and what to do. None: nothing.
    pub drift: Option<String>,
    /// Which credentials the voice service was given: the last letters of the key, and the public key.
    pub sent: Option<String>,
    /// UTC.
    pub checked_at: Option<String>,
}

/// A connection as pages show it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub provider: Provider,
    /// None: never connected.
    pub id: Option<ConnectionId>,
    /// The service's name, or what people called the account.
    pub name: String,
    /// Where a server of models is, if somebody typed it.
    pub base_url: Option<String>,
    pub mode: Mode,
    pub status: Option<IntegrationStatus>,
    /// The last four characters of the key.
    pub hint: String,
    pub account: Option<String>,
    pub last_checked: Option<Stamp>,
    /// What went wrong last and what to do.
    pub last_error: Option<String>,
    pub settings: ConnectionSettings,
    /// When carrier and voice service were looked at last, together. None: never, or this is neither.
    pub telephony_checked: Option<Stamp>,
    /// Telnyx: what its webhooks are checked with.
    pub public_key: Option<String>,
    /// Where the service reports its events; none when it reports none.
    pub webhook_url: Option<String>,
    /// The stand-ins run here, so this connection can use them.
    pub has_sandbox: bool,
    /// What goes through this account now: words and address.
    pub used_by: Vec<(String, String)>,
    /// The viewer may enter credentials.
    pub may_edit: bool,
    /// Make a test call.
    pub may_call: bool,
}

/// The form of one connection, as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConnectionForm {
    pub provider: String,
    pub mode: String,
    /// Empty keeps the key that is stored.
    #[serde(default)]
    pub api_key: String,
    #[serde(default)]
    pub public_key: String,
    #[serde(default)]
    pub price_per_minute: String,
    #[serde(default)]
    pub call_connection_id: String,
    /// The person's password, when it was last typed too long ago.
    #[serde(default)]
    pub current: String,
}

/// A connection's form after its checks.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedForm {
    pub provider: Provider,
    pub mode: Mode,
    pub api_key: Option<String>,
    pub public_key: Option<String>,
    pub voice_price_per_minute: Option<Decimal>,
    pub call_connection_id: Option<String>,
}

impl Connection {
    /// The last word of its page's address: accounts of models have pages of their own, each by its id.
    pub fn key(&self) -> String {
        match self.id.filter(|_| self.provider.has_models()) {
            Some(id) => id.to_string(),
            None => self.provider.to_string(),
        }
    }
}

impl ConnectionForm {
    /// Reads the fields. Errors: `Invalid` with a message per field; `NotFound` for an unknown service, and for models: see
    /// `ModelAccountForm`.
    pub fn check(&self) -> Result<CheckedForm, AppError> {
        let provider = Provider::from_str(&self.provider).map_err(|_| AppError::NotFound)?;
        if provider.has_models() {
            return Err(AppError::NotFound);
        }
        let mut errors = FieldErrors::default();
        let mode = Mode::from_str(&self.mode).unwrap_or_else(|_| {
            errors.add("mode", "Choose sandbox or live.");
            Mode::Sandbox
        });
        let api_key = filled(&self.api_key);
        if api_key.as_deref().is_some_and(|key| !is_key(key)) {
            errors.add("api_key", "A key has no spaces or line breaks. Copy it again.");
        }
        let voice_price_per_minute = match (provider, filled(&self.price_per_minute)) {
            (Provider::Ultravox, Some(text)) => match Decimal::from_str(text.trim_start_matches('$')) {
                Ok(price) if price >= Decimal::ZERO && price <= Decimal::from(100) && price.scale() <= 6 => Some(price),
                _ => {
                    errors.add("price_per_minute", "Enter dollars per minute between 0 and 100, for example 0.05.");
                    None
                }
            },
            (Provider::Ultravox, None) => {
                errors.add("price_per_minute", "Enter what a call minute costs, for example 0.05.");
                None
            }
            _ => None,
        };
        errors.check()?;
        let telnyx = provider == Provider::Telnyx;
        Ok(CheckedForm {
            provider,
            mode,
            api_key,
            public_key: filled(&self.public_key).filter(|_| telnyx),
            voice_price_per_minute,
            call_connection_id: filled(&self.call_connection_id).filter(|_| telnyx),
        })
    }
}

/// What the voice service offers for agents. Empty lists and a note when it could not be asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VoiceCatalog {
    pub models: Vec<String>,
    pub voices: Vec<VoiceChoice>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoiceChoice {
    pub id: String,
    pub name: String,
    /// BCP 47, when the service says so.
    pub language: Option<String>,
    /// How it sounds, in the service's words.
    pub description: Option<String>,
    /// There is a sample of it: `/agents/voices/{id}/sample`.
    pub has_sample: bool,
}

impl VoiceChoice {
    /// `Mark (en-US)`.
    pub fn label(&self) -> String {
        let language = self.language.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{}{language}", self.name)
    }
}

/// Could be one: short, and without spaces and line breaks.
fn is_key(text: &str) -> bool {
    text.len() <= 300 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
