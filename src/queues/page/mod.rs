//! The page: work that is stuck.

mod list;

pub use list::queues_page;
