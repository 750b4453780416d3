mod board;
mod detail;
mod form;
mod list;

pub use detail::BatchPage;
pub use form::NewBatchPage;
pub use list::BatchesPage;
