//! `ops`: clients and settings for other rooms. `connect`: entering and trying credentials. `installed`: what boot set up once.

pub mod catalog;
pub mod connect;
pub mod installed;
pub mod ops;
pub mod store;
