//! `teams`: what people do with teams. `runs`: asking a team, stopping it, asking again. `advance`: a run, one step on; `supervisor` is what a
//! model is asked for it, `work` the job that a member gets, `limits` what a run may use, `late` its time. `cases`: kept questions. `hooks`: what lower crates
//! ask and tell. `asking`: a team as a tool of an agent. `pages`, `forms` and `words`: what pages show and send.

mod advance;
pub mod api;
pub mod asking;
pub mod cases;
pub(crate) mod forms;
pub mod hooks;
pub mod jobs;
mod late;
mod limits;
pub(crate) mod pages;
pub mod routes;
pub mod runs;
mod store;
mod supervisor;
pub mod teams;
mod words;
mod work;

/// Puts runs into the queue again at which nobody is.
pub use late::sweep;
