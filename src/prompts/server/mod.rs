//! Saving, labelling and listing prompts.

pub mod ops;
pub mod rest;
pub mod store;
