//! Text messages (SMS): after calls by rule, by an agent on a call, by a person; and what contacts answer.
//! Owns the tables text_rules, text_messages and text_numbers.
//!
//! The surprising parts: no carrier takes an idempotency key for a message, so one whose answer was lost is looked for and never sent again
//! blindly (`server::sending`); whether somebody may be written to is asked when a message is sent, not when it is written down; and STOP puts
//! the contact on the do-not-call list: one suppression for calls and messages (`server::incoming`).
//! Reads the tables agency_phone_numbers, agents, calls, clients and contacts.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
