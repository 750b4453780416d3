pub mod anchors;
pub mod api;
mod chain;
mod link;
pub mod platform;
pub mod routes;
pub(crate) mod store;
mod told;

pub use chain::{append, verify};
