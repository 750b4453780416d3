//! The viewer's own settings, the agency's, and the menu of all settings pages. Owns `workspaces.settings`, not the table.
//! Reads the table workspaces.

pub mod agency;
pub mod model;

#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;

pub use agency::agency_page;
