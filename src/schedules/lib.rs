//! Schedules and triggers: what sets an agent's runs off without a person. A schedule does it at its times, a trigger when another system
//! calls its signed address; both make a run of the agent loop with what is published.
//! Owns the tables agent_schedules, agent_triggers and agent_trigger_deliveries.
//! Reads the tables agent_runs, agents, clients and jobs.
//!
//! The surprising parts: a line of cron is read in the wall-clock times of its zone, and each of them becomes one moment afterwards
//! (`server/times.rs`), so that no change of the clocks runs anything twice or not at all; a run's row and the schedule's next time are
//! written in one transaction, and a run that a lost worker had begun is ended and not begun anew, because its tools were really used.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
