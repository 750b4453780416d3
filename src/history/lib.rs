//! The past: calls that the voice service has and Patchbay was never told of. Imports of a span of days, and the regular comparison
//! that finds and closes what is missing.
//! Owns the tables historical_sync_jobs, historical_sync_agents, historical_sync_days, historical_sync_failures, call_checks and
//! call_gaps.
//!
//! The surprising parts: an import goes through the same projector as webhooks (`calls::server::fold`), a page of calls and its cursor
//! are one transaction, and nothing is ever taken twice (`server::import`). Transcripts of imported calls wait outside the queue and
//! enter it in small portions, so that calls of today come first (`server::words`). What is compared next stands in a table that is
//! read across tenants, so no job waits in the queue for ten minutes (`server::check`).
//! Reads the tables agent_mappings, agents, call_legs, calls, clients, provider_connections and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
