//! Who changed what, when and from where. Owns the tables audit_events and audit_heads.
//! The surprising part: rows are chained by hashes, one chain per workspace, so that tampering shows (`server::chain`).

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
