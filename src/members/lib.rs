//! People of an agency and of its clients. Shares the table users with signing in.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
