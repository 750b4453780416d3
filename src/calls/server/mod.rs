//! `store`: SQL. `ops`: what people do. `enrich`: the queue of transcripts and analyses. `dialled` and `fold`: placing a call, and
//! what the provider's events make of it. `rest`: audio and downloads.
//! `outcomes`: how an answered call went, from all that is known of it.
//! `by_version`: what calls came to with each version of a prompt.
//! `past`: what an import left to be fetched. `earlier`: what an agent is told of calls before.
//! `transfers`: calls that agents give to people.
//! `stuck`: transcripts and analyses that were given up, or lost.
//! `prompt`: the one read beyond a client's scope.

mod analysis;
pub mod api;
pub mod by_version;
mod byte_range;
pub mod carrier;
mod counted;
pub mod dialled;
pub mod earlier;
pub mod ended;
pub mod enrich;
pub mod fold;
pub mod follow;
pub mod incoming;
pub mod jobs;
pub mod missed;
pub(crate) mod ops;
pub mod outcomes;
pub mod past;
mod peaks;
pub(crate) mod prompt;
pub(crate) mod recordings;
pub mod routes;
pub(crate) mod store;
pub mod stuck;
mod told;
mod transcript;
pub mod transfers;

/// What Twilio and Plivo tell of calls.
pub use store::trunks;
/// How many lines are taken, for the limits of an agency; calls of somebody who has become a contact; and why a call was missed.
pub use store::{hold_callers, lines_in_use, link_caller, link_callers, missed_words};
