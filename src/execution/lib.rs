//! Execution: engines say how work is done, targets where, and jobs are the work itself.
//! Owns the tables execution_approvals, execution_artefacts, execution_attempts, execution_circuits, execution_engines, execution_jobs,
//! execution_log_lines, execution_queue, execution_steps and execution_targets.
//! Reads the tables agent_skills, agents, clients, skills, supervisor_runs, teams, users and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
pub mod server_fns_setup;
