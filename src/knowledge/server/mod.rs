//! Storing, reading and finding.

pub mod extract;
mod files;
mod index;
pub mod jobs;
pub mod meaning;
mod ops;
mod reading;
pub mod routes;
mod search;
mod store;
pub mod stuck;
mod upload;
mod vectors;
mod web;
mod worker;

/// What tools of agents use of it.
pub use search::{Passage, Question, search};
/// Files that a use of a tool has named.
pub use store::entries::still_there;
/// Collections for pickers, and those that something names.
pub use store::{collections, collections_by_ids};

pub(crate) use ops::{ask, choices, delete_collection, delete_entry, list, page, reindex_all, save};
pub(crate) use web::{add, again};

use patchbay_access::Action;

/// Changing collections and their files.
pub(crate) const MANAGE: Action = Action::ManageKnowledge;
