//! The server half of contacts.

pub mod api;
pub(crate) mod export;
pub(crate) mod files;
pub mod import;
pub mod jobs;
pub mod leftovers;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;
pub mod upload;

/// Who is calling, for whoever answers.
pub use store::callers::{Caller, caller};
