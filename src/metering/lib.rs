//! Metering: what something cost is written here once and read everywhere. The answers of models, what each client with a budget has
//! spent this month, and what every day came to.
//! Owns the tables billing_model_usage, billing_text_usage, billing_touches, billing_usage, client_spend and token_usage; money for talk
//! stands on the calls, and money for text messages on the messages.
//!
//! The surprising part: a model's answer is recorded even when it was of no use, because it was paid for.
//! Reads the tables calls, clients, text_messages and workspaces.

pub mod model;
#[cfg(feature = "ssr")]
pub mod server;
