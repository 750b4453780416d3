//! `ops`: clients and settings for other crates. `connect`: entering and trying credentials.

pub(crate) mod catalog;
pub mod connect;
pub mod ops;
mod store;

/// How a voice sounds, for the pages of agents.
pub use catalog::voice_sample;
/// Which accounts there are, for the platform.
pub use store::list;
