//! `ops`: what people do with an agent's tools. `invoke`: using one. `live`: the door of the voice service, `trying`: a person's try.
//! `offers`: what a server of functions offers, and what of it was chosen.
//! `giving`: copies for agents that are made from a template.
//! `contact_book`: what the tools ask of whoever keeps contacts. `voice`: what the voice service is told.

pub mod contact_book;
pub mod giving;
pub mod invoke;
pub(crate) mod kinds;
pub mod live;
pub mod memory;
pub(crate) mod offers;
pub(crate) mod ops;
mod passages;
pub mod routes;
mod store;
pub mod stuck;
pub(crate) mod trying;
pub mod voice;

/// What the loop of an agent asks: its tools, what a model is told of them, and using one.
pub use invoke::{AgentTool, Effect, Invocation, Outcome, chat_tools, for_agent, invoke};
/// Sends what agents write by e-mail.
pub use kinds::email::{Letter, SendLetter};
/// Hands work to teams.
pub use kinds::team::{AskTeam, TeamAnswer, TeamQuestion};
/// Sends what agents write to whoever is on the line.
pub use kinds::text_message::{SendText, TextOfAgent};
/// Rings people for calls.
pub use kinds::transfer::{Begun, TransferCall, Wanted};
/// Tells agents that their copies at the voice service are out of date.
pub use ops::ToolsChanged;
/// The passages of knowledge that an agent was given.
pub use passages::knowledge_used;
/// Whether an agent may give calls to a person.
pub use store::may_transfer;
/// The uses of ours in a call, for the call's page.
pub use store::uses::in_call;
