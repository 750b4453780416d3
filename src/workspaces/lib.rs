//! An agency's account: what it has booked and may have at most, what it asks of itself, whether it may work.
//! Owns the table workspaces: other crates change it through the verbs here.
//!
//! The surprising part: what an agency holds of its limits is counted by upper crates, whose counters boot gives (`Counters`).
//! Reads the table users.

pub mod model;
#[cfg(feature = "ssr")]
pub mod server;
