//! Saving, labelling and listing prompts.

pub mod ops;
pub mod routes;
mod store;
mod told;

/// What agents and calls read of prompts.
pub use store::{choices, get, production, words};
pub use told::{Told, versions_told};
