//! Signing in and out. Owns the tables sessions, sign_in_throttles, password_resets, recovery_codes and passkeys (the session store itself is in `access::server`).
//! The surprising part: every answer to a wrong attempt is the same and takes as long, so that nobody learns which accounts exist.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
