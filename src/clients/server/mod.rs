pub mod ops;
pub mod rest;
pub(crate) mod store;

/// What other crates ask about clients.
pub use store::{count, get, names};
