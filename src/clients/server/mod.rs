pub mod budget;
pub mod jobs;
pub mod ops;
pub mod rest;
pub mod store;
