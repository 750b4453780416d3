//! `ops`: what people do with cases. `running`: starting, stopping and showing runs. `work`: one case, done by a job. `gate`: what keeps a
//! version from production. `matching` and `judge`: whether an answer is right. `from_call` and `replace`: a call becomes a case.

mod from_call;
mod gate;
pub mod jobs;
mod judge;
mod matching;
pub(crate) mod ops;
mod replace;
pub mod routes;
pub(crate) mod running;
mod store;
mod work;

/// What prompts ask before a version goes to production.
pub use gate::reason as production_gate;
