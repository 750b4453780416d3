//! Pages about knowledge: `/knowledge`, `/knowledge/new`, `/knowledge/{id}` and `/knowledge/{id}/edit`.

mod ask;
mod detail;
mod files;
mod form;
mod list;
mod meaning;

pub use detail::knowledge_collection_page;
pub use form::{edit_knowledge_page, new_knowledge_page};
pub use list::knowledge_page;

use patchbay_access::Action;

/// Changing collections and their files.
pub(crate) const MANAGE: Action = Action::ManageKnowledge;
