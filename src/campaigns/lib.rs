//! Campaigns: which agent calls which contacts of a client, from which number, when and how often.
//! Owns the table campaigns. Who is in a campaign and what became of them is `dialling`'s; calling them is `batches`'.
//! The surprising part: large additions of contacts go on in the background in small transactions (`server::jobs`), and adding the
//! same contact twice changes nothing.
//! Reads the tables agency_phone_numbers, agent_mappings, agents, call_backs, call_batches, campaign_contacts, clients, contact_imports,
//! contacts, jobs and prompts.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;

pub use model::*;
