//! The statements of usage by day.

pub(crate) mod cells;
pub(crate) mod texts;
pub(crate) mod touches;
