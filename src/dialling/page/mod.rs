//! Pages: call-backs, one call-back, and the form for a new one.

mod detail;
mod list;
mod new;

pub use detail::call_back_page;
pub use list::call_backs_page;
pub use new::new_call_back_page;
