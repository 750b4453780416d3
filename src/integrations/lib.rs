//! Integrations: the systems that clients use, what is exchanged with them, and what failed.
//! Owns the tables integrations, user_tokens, oauth_attempts, integration_sync_logs, integration_sync_records, integration_pending,
//! integration_links, integration_activities, integration_notices and integration_messages.
//! Reads the tables agents, call_analyses, call_backs, calls, clients, contacts and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
