//! Storing, reading and finding.

pub mod extract;
mod files;
mod index;
pub mod jobs;
mod ops;
pub mod routes;
mod search;
mod store;
pub mod stuck;
mod upload;
mod web;
mod worker;

/// What tools of agents use of it.
pub use search::{Passage, search};
/// Collections for pickers.
pub use store::collections;

pub(crate) use ops::{ask, choices, delete_collection, delete_entry, list, page, reindex_all, save};
pub(crate) use web::{add, again};

use patchbay_access::Action;

/// Changing collections and their files.
pub(crate) const MANAGE: Action = Action::ManageKnowledge;
