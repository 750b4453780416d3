//! `ops`: what people do with cases. `running`: starting, stopping and showing runs. `grids`: the same for grids, `estimate`: what one would
//! cost. `compare`: two runs. `again`: the same test once more. `work`: one case, done by a job. `purse`: what it may cost. `gate`: what keeps a version from production.
//! `matching` and `judge`: whether an answer is right. `from_call` and `replace`: a call becomes a case.

pub(crate) mod again;
pub(crate) mod compare;
mod estimate;
mod from_call;
mod gate;
pub(crate) mod grids;
pub mod jobs;
mod judge;
mod matching;
pub(crate) mod ops;
mod purse;
mod replace;
pub mod routes;
pub(crate) mod running;
mod store;
mod work;

/// What prompts ask before a version goes to production.
pub use gate::reason as production_gate;
