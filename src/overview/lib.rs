//! The dashboard: today's figures, who is on the line, what needs a person. Owns no table; it reads other rooms' figures.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
