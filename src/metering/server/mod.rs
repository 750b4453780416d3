pub mod budget;
pub mod jobs;
pub mod usage;
