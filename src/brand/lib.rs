//! White label: name, logo, colour and host name of an agency, and what a client of it has instead. Owns the table workspace_hosts; what
//! the column `branding` of workspaces and clients holds is decided here, and written by their owners.
//! The surprising part: the style sheet of a colour is computed from its address alone, so every process can serve every one.
//! Reads the tables clients and workspaces.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
