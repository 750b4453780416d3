//! Queues: work that waits, is being done, or is stuck, of all kinds on one page, and the ways to have it tried again or set aside.
//! Owns no table: what is done to a piece of work is done by the crate whose work it is.
//! The surprising part: every statement of the list has an arm per table, state and direction, of which only those run that the address asks
//! for, so that each reads its own index (`server::store`).
//! Reads the tables call_batches, enrichment_queue, historical_sync_jobs, jobs, webhook_queue and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
