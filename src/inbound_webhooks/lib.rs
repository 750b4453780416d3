//! Inbound webhooks: what the outside services report. Verified, stored and acknowledged in that order, and worked through after.
//! Owns the table webhook_queue.
//! The surprising part: an answer of 2xx means that the event is on disk, and nothing else does (`server::ingest`); its effect and
//! the mark that it is done are one transaction, so an event that comes twice counts once (`server::jobs`).
//! Reads the table calls.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
