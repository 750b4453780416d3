//! The server half of contacts.

pub mod api;
mod book;
pub(crate) mod export;
pub(crate) mod files;
pub mod import;
pub mod jobs;
pub mod leftovers;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;
pub mod upload;

/// What the tools of agents ask.
pub use book::OwnContacts;
/// Who is calling, for whoever answers.
pub use store::callers::{Caller, caller};
