//! Calls: what was dialled and answered, what was said, the sound of it, and what a model read in it.
//! Owns the tables calls, call_events, call_legs, call_transfers, call_messages, call_analyses and enrichment_queue.
//!
//! The surprising parts: transcripts and analyses are fetched by a queue of their own (`server::enrich`); a piece of evidence
//! counts only if the words really stand in the message it names (`model::analysis`); and the page of a call remembers the list it
//! was opened from in its address.
//! Reads the tables agency_phone_numbers, agent_mappings, agents, call_backs, call_batches, campaigns, clients, contacts, prompts, users and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
