//! Signing in and out. Owns the tables password_resets, recovery_codes and passkeys (sessions are `access`'s, passwords and
//! counts of wrong ones `users`').
//! The surprising part: every answer to a wrong attempt is the same and takes as long, so that nobody learns which accounts exist.
//! Reads the tables sessions, users and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
