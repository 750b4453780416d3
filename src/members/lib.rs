//! People of an agency and of its clients. Owns the tables users and invitations.
//! Reads the tables clients and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
