//! Contacts: the people that agents call, each of one client, and how they came in.
//! Owns the tables contacts, contact_imports and contact_import_rejects.
//! The surprising part: an import is a row that remembers how far it came. Its worker writes rows and progress in one transaction per
//! chunk, so it goes on after a crash without losing or doubling anyone (`server::import`).
//! Reads the tables agents, call_backs, calls, campaign_contacts, campaigns, clients, users and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;

pub use model::*;
