//! The viewer's own settings, and the menu of all settings pages. Owns no table.

mod nav;
pub mod profile;
#[cfg(feature = "ssr")]
pub mod server;

pub use nav::SettingsNav;
pub use profile::profile_page;
