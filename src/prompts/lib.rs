//! Prompts: what agents are told, with `{{variables}}`. Owns the tables prompts and prompt_versions.
//!
//! The surprising part: a saved version never changes. Agents use the version that carries the label `production`; going back is
//! moving the label. Calls record the version that they used.
//! Reads the tables agents and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
