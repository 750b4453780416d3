//! Pages about agents: `/agents`, `/agents/new`, `/agents/adopt`, `/agents/adopt/{id}`, `/agents/{id}`, `/agents/{id}/edit` and
//! `/agents/{id}/versions`.

mod adopt;
mod changes;
mod detail;
mod form;
mod form_parts;
mod list;
mod versions;

pub use adopt::{adopt_agent_page, adopt_agents_page};
pub use detail::agent_detail_page;
pub use form::{agent_edit_page, new_agent_page};
pub use list::agents_page;
pub use versions::agent_versions_page;
