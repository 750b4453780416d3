pub mod door;
pub mod key;
pub mod ops;
pub mod rest;
pub mod store;
