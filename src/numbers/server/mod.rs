//! `ops`: what people do with numbers. `order`: renting one, step by step, in the background.

pub mod jobs;
pub mod ops;
pub(crate) mod order;
pub mod routes;
pub(crate) mod store;
