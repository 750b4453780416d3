//! A client's own page: its days, and the first of everything that belongs to it, each block from the crate that it is about.
//! Owns no table. It stands above the crates whose blocks it shows, so that clients need know none of them.

pub mod page;
