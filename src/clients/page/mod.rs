mod detail;
mod form;
mod list;

pub use detail::ClientPage;
pub use form::NewClientPage;
pub use list::ClientsPage;
