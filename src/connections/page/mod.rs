//! Pages about connections: `/connections`, `/connections/{provider}`.

mod detail;
mod list;

pub use detail::ConnectionDetailPage;
pub use list::ConnectionsPage;
