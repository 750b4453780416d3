//! Teams: agents that work together, and the runs in which a supervisor gives them work.
//! Owns the tables supervisor_runs, team_agents, team_cases, team_versions and teams.
//! Reads the tables agent_tools, agents, clients, execution_approvals, execution_artefacts, execution_engines, execution_jobs,
//! execution_steps, execution_targets, jobs, knowledge_collections, prompt_versions, skills and users.
//!
//! The surprising parts: what a run does next follows from its rows and those of its jobs alone (`server/advance.rs`), so that whoever is
//! killed in between leaves nothing half done; and a run goes by the version that its team had when it was asked.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
