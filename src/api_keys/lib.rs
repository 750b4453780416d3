//! Keys for programs: made by a person, shown once, within that person's rights. Owns the tables api_keys and api_key_hours.
//! The surprising part: a key is only as good as its owner is now; whoever loses a right, loses it for every key as well.
//! Reads the table users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
