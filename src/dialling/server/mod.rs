//! `contacts` and `membership`: the statements. `settle`: what an ended call makes of its contact. `trouble`: why a batch does not go on.
//! `call_backs`: calls that somebody on a call asked for; `when`: the moment that words name; `tries`: what follows when nobody
//! answers one. `jobs`: the jobs that run a batch and dial a call-back, as plain data.

pub mod call_backs;
pub mod contacts;
pub mod jobs;
mod membership;
pub mod routes;
pub mod settle;
pub(crate) mod store;
pub mod tries;
pub mod trouble;
mod when;
