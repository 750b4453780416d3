pub mod anchors;
mod chain;
pub mod rest;
pub(crate) mod store;

pub use chain::{append, verify};
