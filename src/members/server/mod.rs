pub mod ops;
pub mod store;
