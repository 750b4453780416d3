pub(crate) mod guard;
pub mod ops;
pub(crate) mod store;
pub mod support;
