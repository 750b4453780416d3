//! `contacts` and `membership`: the statements. `settle`: what an ended call makes of its contact. `trouble`: why a batch does not go on.
//! `jobs`: the job that runs a batch, as plain data.

pub mod contacts;
pub mod jobs;
mod membership;
pub mod settle;
pub mod trouble;
