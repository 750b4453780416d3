//! The list of calls and the page of one call.

mod detail;
mod facts;
mod keys;
mod list;
mod result;
mod rows;
mod steps;
mod transcript;

pub use detail::CallPage;
pub use keys::Ticking;
pub use list::CallsPage;
