//! Tools: what an agent may do on a call beside talking, each of a kind, and what became of each use.
//! Owns the tables agent_tools, tool_invocations and contact_memories.
//! Reads the tables agents, calls, clients and users.
//!
//! The surprising parts: this crate stands below agents, so it tells them by a hook that their copies at the voice service are out of
//! date; a tool of a live call is used by the voice service through `/hooks/tools/…` with a token that is good for one call; and a use is
//! written down before anything is asked, so that the same request, come twice, does nothing twice.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
