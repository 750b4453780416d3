pub mod door;
pub mod ops;
pub mod store;
pub mod support;
