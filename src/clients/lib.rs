//! The agency's customers. Owns the table clients.
//! The surprising part: what a client has spent, and what its budget does, is in `metering`; here it is only set and shown.
//! Reads the tables agents, call_batches, campaigns and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
