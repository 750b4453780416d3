mod board;
mod detail;
mod form;
mod list;

pub use detail::batch_page;
pub use form::new_batch_page;
pub use list::batches_page;
