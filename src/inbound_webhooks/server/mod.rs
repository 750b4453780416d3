//! `rest`: the door, and the list as a file. `ingest`: is it genuine. `intake`: onto the disk. `jobs`: what it changes.
//! `ops`: replay. `stuck`: what the list of all queues does with given-up events. `store`: SQL.

mod ingest;
mod intake;
pub mod jobs;
mod keys;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;
pub mod stuck;
