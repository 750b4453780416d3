//! The server half of campaigns.

pub mod jobs;
pub mod ops;
pub mod rest;
pub mod store;
