//! The agency's customers. Owns the tables clients and client_spend.
//! The surprising part: what a budget does is in `server::budget`; whoever writes a cost adds it there in the same transaction.
//! Reads the tables agents, call_batches, calls, campaigns, token_usage and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
