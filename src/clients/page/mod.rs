//! The list of clients, and a client's settings. Its own page is in the crate `client_overview`.

mod form;
mod list;
mod settings;

pub use form::new_client_page;
pub use list::clients_page;
pub use settings::client_settings_page;
