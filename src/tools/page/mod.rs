//! Pages about the tools of an agent: `/agents/{id}/tools`, `/agents/{id}/tools/new`, `/agents/{id}/tools/{tool}`,
//! `/agents/{id}/tools/calls`, and `/tool-calls/{id}`.

mod detail;
mod fields;
mod list;
mod new;
mod offers;
mod uses;

pub use detail::tool_page;
pub use list::{agent_tabs, tools_page};
pub use new::new_tool_page;
pub use uses::{tool_use_page, tool_uses_page};
