pub mod budget;
pub mod days;
pub mod jobs;
pub mod own_days;
pub mod rent;
mod store;
pub mod texts;
pub mod usage;
