//! Who changed what, when and from where. Owns the tables audit_events, audit_heads, audit_anchors, platform_events and
//! platform_head.
//! The surprising part: rows are chained by hashes, one chain per workspace, so that tampering shows (`server::chain`).
//! Reads the tables api_keys, clients and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
