pub(crate) mod door;
pub mod ops;
pub(crate) mod store;
pub mod support;
