//! Pages about connections: `/connections`, `/connections/{provider}` or, for accounts of models, their id, and
//! `/connections/accounts/new`.

mod account;
mod detail;
mod list;

pub use account::new_model_account_page;
pub use detail::connection_detail_page;
pub use list::connections_page;
