//! The server half of campaigns.

pub mod jobs;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;

pub use store::choices::missing_variables;
/// The campaign that a batch dials.
pub use store::{get, hold_to_dial};
