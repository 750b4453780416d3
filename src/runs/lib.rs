//! Runs: what an agent did, step by step, in a call or in a test, and the errors of the whole agency, grouped by their cause.
//! Owns the tables agent_runs, error_causes, errors and run_logs.
//! Reads the tables agent_schedules, agent_triggers, agents, call_messages, calls, clients, test_runs, token_usage, tool_invocations and users.
//!
//! The surprising parts: a call's run has the call's own id, its row is made of the call's row by one statement (`server/store/live.rs`),
//! and its steps are made when somebody looks, of what the call has kept; whoever fails only adds a row to `errors`, and a job counts.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
