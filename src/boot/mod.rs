//! Puts the process together: configuration, telemetry, the HTTP router, the workers, shutdown, the private PostgreSQL.
//! The surprising part: `demo` runs the whole product on sandbox providers, history included.
//! Reads the table workspaces.

pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod document;
pub mod embedded_postgres;
pub mod events;
pub mod forms;
pub(crate) mod guard;
pub mod http;
pub mod keys;
pub mod migrate;
pub mod services;
mod slow;
pub mod static_files;
pub mod telemetry;
pub mod work;
