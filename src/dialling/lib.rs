//! Dialling: which contacts of a campaign wait, are on the line, or are done, what an ended call makes of its contact, and call-backs that
//! somebody on a call asked for. Campaigns and imports put contacts in, batches take them out, and calls tell through a hook what became of
//! one. Owns the tables campaign_contacts and call_backs.
//!
//! The surprising part: whether a call is the one that its contact is on the line with is decided here by the attempt's number, so
//! that late and doubled events settle nothing twice. A call-back goes out in a batch of its own kind, which batches make when it is due;
//! here it is only decided whether its time is one at which nobody minds (`server::when`).
//! Reads the tables call_batches, calls, campaigns, clients, contacts, jobs and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
