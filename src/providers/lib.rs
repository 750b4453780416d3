//! Outside services: voice, telephony and chat models, each behind one trait per kind of service.
//!
//! Owns no tables and knows no product words. Callers hand in credentials and plain values, and get plain values
//! or a [`ProviderError`] back. Nothing here retries, but for `chat::Retrying`, whose
//! requests are always safe to repeat: else the caller knows whether a repeat is safe, and [`ProviderError::is_retryable`] and
//! [`ProviderError::outcome_unknown`] tell it what the answer allows.
//!
//! | file | what it is |
//! |---|---|
//! | `voice`, `ultravox` | calls held by a voice agent |
//! | `telephony`, `telnyx` | phone numbers and call control |
//! | `text` | text messages (SMS) |
//! | `carrier`, `twilio`, `plivo` | accounts of the agency's own at further carriers |
//! | `incoming` | calls that come in, at any carrier |
//! | `chat`, `openrouter`, `anthropic`, `openai_compatible` | chat models; `completions` is the form that two of them share |
//! | `schema`, `sse` | schemas that every host takes; answers that come word by word |
//! | `crm`, `hubspot`, `zoho` | contacts, deals and activities in a client's own system |
//! | `oauth` | signing in at such a system |
//! | `http` | the one way out: time limits, size limits, no redirects, errors in one shape |
//! | `calcom` | appointments, in a tenant's own account |
//! | `mcp` | servers that offer functions to models |
//! | `json` | repairs what is half broken in it |
//! | `public_address` | refuses private addresses when somebody else chose the target |
//! | `signature` | who really sent a webhook |
//! | `slack` | messages in a channel |
//! | `smtp` | e-mail to people |
//! | `sealed` | secrets at rest, bound to their place |
//! | `breaker` | stops asking a service that is down |
//!
//! The surprising parts: a request that is not safe to repeat and ends in a timeout has an *unknown* outcome, not a
//! failed one; and a page address that a service hands out is used for its query only, so that a key never leaves
//! for another host.

pub mod anthropic;
pub mod breaker;
pub mod calcom;
pub mod carrier;
pub mod chat;
mod completions;
pub mod crm;
pub mod crm_activity;
mod crm_client;
mod crm_wire;
pub mod error;
pub mod http;
pub mod hubspot;
pub mod incoming;
pub mod json;
pub mod mcp;
pub mod oauth;
pub mod openai_compatible;
pub mod openrouter;
pub mod outside;
pub mod plivo;
pub mod public_address;
mod schema;
pub mod sealed;
mod secret;
pub mod signature;
pub mod slack;
pub mod smtp;
mod sse;
pub mod telephony;
pub mod telnyx;
pub mod text;
pub mod twilio;
pub mod ultravox;
pub mod voice;
mod voice_agent;
mod voice_carrier;
pub mod voice_tools;
mod wire;
pub mod zoho;

pub use breaker::{Breakers, Pass};
pub use carrier::{CarrierAccess, CarrierClient, Trunk};
pub use chat::{ChatAnswer, ChatProvider, ChatRequest};
pub use error::{Kind, ProviderError, display_name};
pub use http::{HttpClient, HttpSettings, REQUEST_TIMEOUT};
pub use sealed::{Binding, KeyRing, SealError, Secret};
pub use signature::SignatureError;
pub use telephony::TelephonyProvider;
pub use text::TextCarrier;
pub use voice::VoiceProvider;
