//! `store`: SQL. `ops`: what people do. `enrich`: the queue of transcripts and analyses. `dialled` and `fold`: placing a call, and
//! what the provider's events make of it. `rest`: audio and downloads.
//! `prompt`: the one read beyond a client's scope.

mod analysis;
pub mod api;
mod byte_range;
pub mod carrier;
pub mod dialled;
pub mod ended;
pub mod enrich;
pub mod fold;
pub mod follow;
pub mod jobs;
pub(crate) mod ops;
mod peaks;
pub(crate) mod prompt;
pub(crate) mod recordings;
pub mod routes;
pub(crate) mod store;
mod transcript;

/// How many lines are taken, for the limits of an agency.
pub use store::lines_in_use;
