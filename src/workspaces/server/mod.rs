pub mod limits;
pub mod rules;
pub mod store;
