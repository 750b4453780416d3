//! The agency's customers. Owns the table clients.

pub mod model;
pub mod page;
pub mod server_fns;
#[cfg(feature = "ssr")]
pub mod server;
