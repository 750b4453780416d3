//! Pages about agents: `/agents`, `/agents/new`, `/agents/adopt`, `/agents/adopt/{id}`, `/agents/{id}`, `/agents/{id}/edit` and
//! `/agents/{id}/versions`; about templates: `/agents/templates`, `/agents/templates/{id}` and `/agents/{id}/template`.

mod adopt;
mod changes;
mod detail;
mod following;
mod form;
mod form_parts;
mod list;
mod template;
mod templates;
mod versions;

pub use adopt::{adopt_agent_page, adopt_agents_page};
pub use detail::agent_detail_page;
pub use form::{agent_edit_page, new_agent_page};
pub use list::agents_page;
pub use template::agent_template_page;
pub use templates::{agent_templates_page, new_agent_template_page};
pub use versions::agent_versions_page;
