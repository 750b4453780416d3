mod detail;
mod list;
mod new;

pub use detail::workspace_page;
pub use list::platform_page;
pub use new::{new_links_page, new_workspace_page};
