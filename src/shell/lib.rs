//! What the pages of all crates share, above the components and below the crates that have pages: who is looking, what they may not
//! see, the frame's parts, menus of pages, and the field for a recent password. Owns no table.

mod client_tabs;
pub mod frame;
mod history;
mod proof;
mod settings_nav;
mod viewer;

pub use client_tabs::client_tabs;
pub use frame::Shell;
pub use history::HistoryLink;
pub use proof::ProofField;
pub use settings_nav::SettingsNav;
pub use viewer::{client_options, refused, viewer};
