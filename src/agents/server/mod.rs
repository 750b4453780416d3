//! `ops`: saving and states. `sync`: bringing an agent to the voice service. `jobs`: when that happens.

pub mod jobs;
pub mod ops;
pub mod routes;
pub(crate) mod store;
pub(crate) mod sync;

/// What a call shows when its agent uses tools.
pub use patchbay_tools::server::live::token as tool_token;
/// What numbers, and the limits of an agency, ask about agents.
pub use store::{clients, count};
