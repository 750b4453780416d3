//! What is done with engines, targets and jobs. `jobs`: putting work into the queue and changing it. `work`: a worker's part, with `starting`,
//! the engines `process_engine` and `model_engine`, and `settling`. `ending`: what follows from an end. `asking` and `approvals`: people
//! decide. `circuits`: breakers. `clock`: time that no clock's step changes. `steps`: what was done. `hooks`: what runs of teams are asked and told. `sweep`: what was lost.
//! `engines`, `targets`: what people set up. `views`, `desk`, `manual`, `letters`, `snapshot`: what pages and people see.

mod adding;
pub mod approvals;
mod asking;
mod changing;
mod circuits;
mod clock;
mod ending;
mod hooks;
pub mod jobs;
mod leftovers;
mod logs;
mod model_asking;
mod model_engine;
mod model_tools;
mod plain;
mod process_engine;
mod progress;
mod settling;
mod starting;
pub mod steps;
mod store;
mod sweep;
mod watching;
mod work;
mod worker_tools;

pub(crate) mod desk;
pub mod engines;
pub mod letters;
pub(crate) mod manual;
pub mod routes;
pub mod setup_routes;
pub mod snapshot;
pub mod targets;
pub(crate) mod views;

pub use hooks::{Ended, JobEnded, RunMayGoOn, RunSpent, Spent, Standing};
pub use leftovers::clear_all as clear_leftovers;
/// Who may be written to about an approval needs the address of the agency's pages.
pub use letters::LinkBase;
pub use sweep::{look_now, sweep};
/// What was asked for in a run of a team, for its page.
pub use views::approvals_of_run;

/// The channel that wakes workers of execution.
const QUEUE: &str = "execution";
