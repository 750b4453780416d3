//! Signing in and out. Owns the tables sessions and sign_in_throttles (the session store itself is in `access::server`).
//! The surprising part: every answer to a wrong attempt is the same and takes as long, so that nobody learns which accounts exist.

pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
