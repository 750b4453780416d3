mod detail;
mod form;
mod list;

pub use detail::client_page;
pub use form::new_client_page;
pub use list::clients_page;
