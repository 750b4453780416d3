pub mod anchors;
mod chain;
pub mod rest;
pub mod store;

pub use chain::{append, verify};
