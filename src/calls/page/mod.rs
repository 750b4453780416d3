//! The list of calls and the page of one call.

mod detail;
mod facts;
mod keys;
mod list;
mod prompt;
mod result;
mod rows;
mod steps;
mod transcript;
mod transfers;

pub use detail::call_page;
pub use keys::Ticking;
pub use list::calls_page;
