//! `ops`: saving and listing prompts. `labels`: moving labels, and what stands in the way. `diff`: two texts compared.

pub(crate) mod diff;
pub mod labels;
pub mod ops;
pub mod routes;
mod store;
mod told;

/// Says whether agents may say a version.
pub use labels::ProductionGate;
/// What agents and calls read of prompts.
pub use store::{choices, get, spoken, words};
pub use told::{Told, versions_told};
