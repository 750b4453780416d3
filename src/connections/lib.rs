//! Connections: the workspace's accounts at the voice service, the carrier and services of models.
//! Owns the table provider_connections.
//!
//! The surprising parts: credentials are tried at the service before they are stored, and sealed so that they open only in
//! their own row's place; and a new account means that agents and numbers of the old one are forgotten (`server::connect`).
//! Reads the tables agency_phone_numbers, agent_mappings, agents and model_choices.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
