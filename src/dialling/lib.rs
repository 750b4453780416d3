//! Dialling: which contacts of a campaign wait, are on the line, or are done, and what an ended call makes of its contact. Campaigns
//! and imports put contacts in, batches take them out, and calls tell through a hook what became of one.
//! Owns the table campaign_contacts.
//!
//! The surprising part: whether a call is the one that its contact is on the line with is decided here by the attempt's number, so
//! that late and doubled events settle nothing twice.
//! Reads the tables call_batches, calls, campaigns and contacts.

pub mod model;
#[cfg(feature = "ssr")]
pub mod server;
