//! Skills: instructions with references and scripts, written once and told to every agent that has them.
//! Owns the tables skills, agent_skills and skill_imports.
//! Reads the table agents.
//!
//! The surprising parts: an agent is told its skills in full, in one fixed form (`model::told`), so what it can be told is limited; a
//! script is text for the model and is never run; and an archive is unpacked in memory, looked at by a person and only then taken
//! (`server::archive`, `server::importing`). This crate stands below agents: it tells them by a hook that their copies at the voice
//! service are out of date.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
