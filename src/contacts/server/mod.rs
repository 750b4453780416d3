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
mod stopped;
pub(crate) mod store;
pub mod synced;
pub(crate) mod systems;
pub mod told;
pub mod upload;

/// What the tools of agents ask.
pub use book::OwnContacts;
/// Somebody has told us to stop.
pub use stopped::stop_contact;
/// Who is calling, for whoever answers.
pub use store::callers::{Caller, caller};
/// What other systems know about a contact.
pub use systems::SystemsOfContact;
