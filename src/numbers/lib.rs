//! Phone numbers: rented at the carrier, assigned to clients and agents. Owns the tables agency_phone_numbers and route_checks.
//!
//! The surprising part: renting is asynchronous and has no idempotency key. The row is written first and its id is the order's
//! reference; the job `order_number` looks for an order with that reference before it places one (`server::order`).
//! Reads the tables agent_mappings, agents, campaigns and clients.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
