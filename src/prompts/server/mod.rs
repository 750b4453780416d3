//! Saving, labelling and listing prompts.

pub mod ops;
pub mod routes;
mod store;

/// What agents and calls read of prompts.
pub use store::{choices, get, production, words};
