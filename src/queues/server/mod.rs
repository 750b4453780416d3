//! `store`: SQL, reading alone. `ops`: trying again and setting aside, by the crates whose work it is. `routes`: the file, and the old address.
//! `sweep`: finds work that was lost.

pub(crate) mod ops;
pub mod routes;
pub(crate) mod store;
pub mod sweep;
