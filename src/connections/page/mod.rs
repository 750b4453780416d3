//! Pages about connections: `/connections`, `/connections/{provider}`.

mod detail;
mod list;

pub use detail::connection_detail_page;
pub use list::connections_page;
