//! A client's own page: its month, and the first of everything that belongs to it, each block from the room that it is about.
//! Owns no table. It stands above the rooms whose blocks it shows, so that clients need know none of them.

pub mod page;
