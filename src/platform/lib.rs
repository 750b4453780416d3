//! The platform admin's room: workspaces and their state. Owns the tables workspaces and support_sessions.
//! The surprising part: nothing in here can read a tenant's data; only the tables that span tenants are open to it. A support session makes an admin a guest who reads (`server::support`).
//! Reads the tables enrichment_queue, jobs, users and webhook_queue.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
