//! `ops`: saving and states. `sync`: bringing an agent to the voice service. `jobs`: when that happens.

pub mod jobs;
pub mod ops;
pub mod rest;
pub mod store;
pub mod sync;
