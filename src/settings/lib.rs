//! The viewer's own settings, and the agency's. Owns no table: an agency's settings are `workspaces`', a person's `users`'.
//! The surprising part: the menu of all settings pages is not here but in `shell`, because pages of many crates stand in it.

pub mod agency;
pub mod model;

#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;

pub use agency::agency_page;
