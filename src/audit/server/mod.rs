pub mod anchors;
pub mod api;
mod chain;
pub mod routes;
pub(crate) mod store;

pub use chain::{append, verify};
