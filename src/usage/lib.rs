//! Usage: minutes, tokens and money of some days, beside the days before. Owns no table: days are counted in `metering`.
//! The surprising part: days are those of each client's zone, as its budget counts its months.
//! Reads the tables agency_phone_numbers, agents and clients.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
