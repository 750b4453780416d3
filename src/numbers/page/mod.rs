//! Pages about phone numbers: `/numbers`, `/numbers/new`, `/numbers/{id}`.

mod answering;
mod detail;
mod find;
mod list;

pub use detail::number_detail_page;
pub use find::new_number_page;
pub use list::numbers_page;
