//! Usage: minutes, tokens and money of the last thirty days. Owns the table token_usage; money for talk stands on the calls.
//! The surprising part: a model's answer is recorded even when it was of no use, because it was paid for.
//! Reads the table calls.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
