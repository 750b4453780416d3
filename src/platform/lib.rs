//! What a platform admin does: workspaces and their state. Owns the table support_sessions; the accounts of agencies are `workspaces`'.
//! The surprising part: nothing in here can read a tenant's data; only the tables that span tenants are open to it. A support session
//! makes an admin a guest who reads (`server::support`).
//! Reads the tables enrichment_queue, jobs, users, webhook_queue and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
