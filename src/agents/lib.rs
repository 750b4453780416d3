//! Agents: who speaks. An agent has a prompt, a voice and a language, and works for one client or for all.
//! Owns the tables agents and agent_mappings (one row per client that an agent serves: its copy at the voice service).
//!
//! The surprising part: what the voice service holds follows what is saved here, by the job `sync_agent`; a mapping's
//! `synced_at` is the `updated_at` of the state that the service holds, so "older than the agent" means "not there yet".
//! Reads the tables agency_phone_numbers, call_batches, campaigns, clients, jobs, prompt_versions and prompts.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
