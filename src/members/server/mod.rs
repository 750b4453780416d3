pub mod invitations;
pub mod links;
pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;

/// How many people there are, for the limits of an agency.
pub use store::{active, count};
