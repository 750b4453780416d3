pub mod budget;
pub mod jobs;
pub mod rent;
pub mod usage;
