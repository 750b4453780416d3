pub mod authenticate;
pub(crate) mod key;
pub(crate) mod ops;
pub mod routes;
mod store;

/// Forgets counts that nobody asks for any more; upkeep calls it.
pub use store::prune;
