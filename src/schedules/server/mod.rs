//! `schedules`: what people do with schedules. `due`: a schedule's time has come. `triggers`: what people do with triggers. `door`: somebody
//! calls a trigger. `starting`: what both begin a run with. `work`: the run itself, done by a job. `times`: lines of cron and the clock.

mod door;
mod due;
pub mod jobs;
pub mod routes;
pub(crate) mod schedules;
mod starting;
mod store;
mod times;
pub(crate) mod triggers;
mod work;

/// Puts work into the queue again that was lost.
pub use due::sweep;
