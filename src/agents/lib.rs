//! Agents: who speaks. An agent has a prompt, a voice and a language, and works for one client or for all.
//! Owns the tables agents, agent_versions, agent_drafts, agent_mappings, agent_templates and agent_template_versions. A draft is what is changed and not published yet, a version what
//! was published; a mapping is an agent's copy at the voice service, one per client that it serves. A template is what clients are given:
//! the mark of its version is part of an agent's settings, so that a draft that is thrown away takes nothing over.
//!
//! The surprising part: what the voice service holds follows what is saved here, by the job `sync_agent`; a mapping's
//! `synced_at` is the `updated_at` of the state that the service holds, so "older than the agent" means "not there yet". What somebody
//! else sets there is kept until a person chooses: `server/told.rs` lays it over what is sent.
//! Reads the tables agency_phone_numbers, call_batches, campaigns, clients, jobs, prompt_versions, prompts and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
