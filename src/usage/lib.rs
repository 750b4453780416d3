//! Usage: minutes, tokens and money of the last thirty days. Owns no table: costs are written in `metering` and on the calls.
//! The surprising part: days are those of the viewer's time zone and months those of the client's, as its budget counts them.
//! Reads the tables agency_phone_numbers, calls, clients and token_usage.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
