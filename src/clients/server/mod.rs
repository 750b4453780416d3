pub mod ops;
pub mod rest;
pub mod store;
