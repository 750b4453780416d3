//! `rules`: what people do with rules. `calls`: events of calls become messages. `writing`: a person or an agent writes. `sending`: a message
//! is sent, and looked for when its answer was lost. `incoming`: what carriers report. `carrier`: which account a number's messages go
//! through. `costs`: what a message costs is counted. `door`: carriers that are integrations deliver here. `pages`: what pages show.

mod calls;
mod carrier;
mod costs;
mod door;
mod incoming;
pub mod jobs;
pub(crate) mod pages;
pub mod routes;
pub(crate) mod rules;
mod sending;
mod store;
pub(crate) mod writing;

/// Messages of rules, made of events of calls.
pub use calls::events_out;
/// The accounts of carriers that are integrations.
pub use carrier::{OpenTexts, TextAccount, number_moved};
/// What a carrier reports.
pub use incoming::reported;
/// Puts work into the queue again that was lost.
pub use jobs::sweep;
/// What an agent sends on a call.
pub use writing::from_agent;
