//! `rest`: the door, and the list as a file. `ingest`: is it genuine, and onto the disk. `jobs`: what it changes.
//! `ops`: replay. `store`: SQL.

mod ingest;
pub mod jobs;
mod keys;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;
