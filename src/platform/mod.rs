//! The platform admin's room: workspaces and their state. Owns the table workspaces.
//! The surprising part: nothing in here can read a tenant's data; only the tables that span tenants are open to it.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
