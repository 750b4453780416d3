//! Batches: dialling a campaign's contacts within a number of lines. Owns the table call_batches.
//! The surprising part: a batch is a job that ticks (`server::tick`); what happens between asking the provider and hearing its answer is
//! in `server::dial` and `server::reconcile`, and the rows that make it safe are in `calls::server::dialled`.
//! Reads the tables calls, campaign_contacts, campaigns, clients, contacts, jobs and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;

pub use model::*;
