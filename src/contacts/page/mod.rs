mod detail;
mod form;
mod import;
mod imports;
mod list;
mod mapping;
mod memories;
mod systems;
mod upload;

pub use detail::contact_page;
pub use form::new_contact_page;
pub use import::import_page;
pub use imports::imports_page;
pub use list::{contacts_page, suppressed_page};
pub use mapping::import_mapping_page;
pub use upload::new_import_page;
