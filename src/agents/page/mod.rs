//! Pages about agents: `/agents`, `/agents/new`, `/agents/{id}`, `/agents/{id}/edit`.

mod detail;
mod form;
mod list;

pub use detail::agent_detail_page;
pub use form::{agent_edit_page, new_agent_page};
pub use list::agents_page;
