//! Outgoing webhooks: what other systems are told, signed as Standard Webhooks says.
//! Owns the tables webhook_endpoints, webhook_events, webhook_deliveries, webhook_attempts and delivery_queue.
//! Reads the tables clients, integrations, text_rules, users and workspaces.
//!
//! The surprising parts: an event is written in the transaction of what happened, its body with it, so that what is told is what was true
//! then; what is waiting to be sent stands in a queue of its own, which workers take from fairly by endpoint; and a delivery whose worker
//! was lost is sent again under the same id, because nobody knows whether it arrived.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
