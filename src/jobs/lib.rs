//! Background work: a queue with leases, retries and fairness between workspaces, the runner, and live notices.
//! Knows no domain words: a crate registers what its jobs do. Owns the table jobs.
//! Reads the table workspaces.

pub mod lease;
pub mod live;
pub mod queue;
pub mod runner;

pub use queue::{Job, NewJob, enqueue};
pub use runner::{Registry, Runner, beside};
