pub mod door;
pub mod limits;
pub mod ops;
pub mod store;
pub mod support;
