//! Pages about phone numbers: `/numbers`, `/numbers/new`, `/numbers/{id}`.

mod detail;
mod find;
mod list;

pub use detail::NumberDetailPage;
pub use find::NewNumberPage;
pub use list::NumbersPage;
