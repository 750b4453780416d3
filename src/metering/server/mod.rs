pub mod budget;
pub mod days;
pub mod jobs;
pub mod rent;
mod store;
pub mod usage;
