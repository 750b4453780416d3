mod detail;
mod form;
mod import;
mod imports;
mod list;
mod mapping;
mod upload;

pub use detail::ContactPage;
pub use form::NewContactPage;
pub use import::ImportPage;
pub use imports::ImportsPage;
pub use list::{ContactsPage, SuppressedPage};
pub use mapping::ImportMappingPage;
pub use upload::NewImportPage;
