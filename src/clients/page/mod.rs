//! The list of clients; one client's page with what belongs to it; its settings.

mod blocks;
mod detail;
mod form;
mod list;
mod month;
mod settings;

pub use detail::{client_page, client_tabs};
pub use form::new_client_page;
pub use list::clients_page;
pub use settings::client_settings_page;
