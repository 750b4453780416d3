pub mod door;
pub(crate) mod key;
pub(crate) mod ops;
pub mod rest;
mod store;

/// Forgets counts that nobody asks for any more; upkeep calls it.
pub use store::prune;
