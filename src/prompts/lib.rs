//! Prompts: what agents are told, with `{{variables}}`.
//! Owns the tables prompts, prompt_versions, prompt_label_moves and prompt_unsaved_texts.
//! Reads the tables agents, campaigns, contacts and users.
//!
//! The surprising parts: a saved version never changes; agents say the version labelled `production`, and the newest while none has that
//! label; going back is moving the label, which may have to wait for a second person. Calls record the version that they used. This crate
//! stands below agents, tools and calls, so it asks them by hooks.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
