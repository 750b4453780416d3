pub mod door;
pub mod ops;
pub mod store;
