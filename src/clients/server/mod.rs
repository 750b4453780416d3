pub mod ops;
pub mod routes;
pub(crate) mod store;

/// What other crates ask about clients.
pub use store::{count, get, names};
