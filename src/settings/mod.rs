//! The viewer's own settings, and the menu of all settings pages. Owns no table.

mod nav;
pub mod profile;

pub use nav::SettingsNav;
pub use profile::profile_page;
