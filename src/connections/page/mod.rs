//! Pages about connections: `/connections/{provider}` or, for accounts of models, their id, and `/connections/accounts/new`. All of them
//! are listed on `/integrations`.

mod account;
mod detail;
mod facts;

pub use account::new_model_account_page;
pub use detail::connection_detail_page;
