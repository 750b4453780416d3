//! Background work: a queue with leases, retries and fairness between workspaces, the runner, and live notices.
//! Knows no domain words: a crate registers what its jobs do. Owns the table jobs.
//! Reads the table workspaces.

mod beside;
mod ends;
pub mod lease;
pub mod live;
mod places;
pub mod queue;
pub mod runner;
mod steps;
pub mod stuck;
mod turns;

pub use beside::beside;
pub use queue::{Job, NewJob, enqueue, enqueue_all};
pub use runner::{Registry, Runner};
