//! `ops`: making agents and their states. `drafts`: what is changed, and what is published. `lifecycle`: ends and copies of agents.
//! `adopt`: agents that the voice service has. `sync`: bringing an agent to the voice service, `told`: what it is told, `compare`: what is
//! different there. `jobs`: when that happens. `templates`: what is given to clients, and `following`: agents beside their template.

pub(crate) mod adopt;
pub(crate) mod compare;
pub(crate) mod drafts;
pub(crate) mod following;
pub mod jobs;
pub(crate) mod lifecycle;
pub mod ops;
pub mod routes;
pub(crate) mod store;
pub(crate) mod sync;
pub(crate) mod templates;
mod told;

/// What a call shows when its agent uses tools.
pub use patchbay_tools::server::live::token as tool_token;
/// What numbers, and the limits of an agency, ask about agents.
pub use store::{clients, count};
/// What calls read of the words that an agent was told, and the variable for what was said before.
pub use told::{EARLIER_CALLS, own_words};
