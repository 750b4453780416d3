//! People of an agency and of its clients. Owns the table invitations; the accounts themselves are `users`'.
//! The surprising part: an invitation is accepted by somebody who has no account yet, so its link carries what it opens
//! (`server::invitations`).
//! Reads the tables clients, users and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
