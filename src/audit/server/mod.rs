pub mod anchors;
mod chain;
pub mod routes;
pub(crate) mod store;

pub use chain::{append, verify};
