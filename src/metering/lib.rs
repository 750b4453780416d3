//! Metering: what something cost is written here once and read everywhere. The answers of models, and what each client with a budget
//! has spent this month.
//! Owns the tables token_usage and client_spend; money for talk stands on the calls.
//!
//! The surprising part: a model's answer is recorded even when it was of no use, because it was paid for.
//! Reads the tables calls and clients.

pub mod model;
#[cfg(feature = "ssr")]
pub mod server;
