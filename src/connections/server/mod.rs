//! `ops`: clients and settings for other crates. `models`: the same for accounts of models. `connect`, `accounts`: entering and trying credentials. `telephony`: the way between the carrier and
//! the voice service. `trunks`: calls on numbers at other carriers.

pub(crate) mod accounts;
pub(crate) mod catalog;
pub mod connect;
pub mod jobs;
pub mod models;
pub mod ops;
mod store;
pub mod telephony;
pub mod trunks;

/// How a voice sounds, for the pages of agents.
pub use catalog::voice_sample;
/// Which accounts there are, for the platform.
pub use store::list;
