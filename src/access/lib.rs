//! Who is asking and what they may do. The policy table is pure, so pages can ask it what to show; the server asks it again.
//! The surprising part: a change without a named `Action`, or a query without a tenant, does not compile (`server`).
//! Owns the table sessions.
//! Reads the tables clients, support_sessions, users and workspaces.

pub mod policy;
pub mod role;
#[cfg(feature = "ssr")]
pub mod server;
pub mod viewer;
pub mod withheld;

pub use policy::{Action, ApiScope, allows};
pub use role::{Role, SecondFactorRule};
pub use viewer::{ClientAdminRights, ClientName, Viewer};
pub use withheld::Field;
