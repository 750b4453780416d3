//! Models: which account and which model each kind of work uses, and what models cost. Owns the tables model_choices and model_prices.
//!
//! The surprising parts: what has no choice of its own uses the model of the analyses, so that one choice is enough to begin with; and a
//! price never changes, a new one holds from its own moment on, so that what was counted stays what it was.
//! Reads the tables agents and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
