//! The server half of contacts.

pub mod api;
pub mod export;
pub mod files;
pub mod import;
pub mod jobs;
pub mod ops;
pub mod rest;
pub(crate) mod store;
pub mod upload;
