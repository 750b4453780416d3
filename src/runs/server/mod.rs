//! `record`: what runs and failures are written down with, for other crates. `live`: calls as runs. `ops`: what people do.

pub mod jobs;
pub mod live;
pub(crate) mod ops;
mod record;
pub mod routes;
mod store;

/// Asked which passages of knowledge were used in a run.
pub use ops::KnowledgeUsed;
/// Writing down runs, their steps, and what failed anywhere.
pub use record::{
    NewError, NewRun, NewStep, Progress, Source, StepTokens, failed, finish, progress, start, start_from, step,
};
