//! `chosen`: the model for a kind of work, for other crates. `vectors`: what search in knowledge asks. `ops`: choosing and pricing.

mod catalogue;
mod chosen;
pub(crate) mod ops;
pub mod routes;
mod store;
mod vectors;
pub(crate) mod views;

pub use chosen::{Chosen, chosen, has_account, in_use, not_set_up, of, priced};
pub use vectors::embed;
