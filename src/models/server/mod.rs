//! `chosen`: the model for a kind of work, for other crates. `prices`: what an answer cost. `ops`: choosing and pricing.

mod catalogue;
mod chosen;
pub(crate) mod ops;
pub mod routes;
mod store;
pub(crate) mod views;

pub use chosen::{Chosen, Embedder, chosen, chosen_embedding, in_use, not_set_up, of, priced};
