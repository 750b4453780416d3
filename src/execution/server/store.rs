//! Statements about the tables of execution, in one file for each part.

pub(crate) mod approvals;
pub(crate) mod attempts;
pub(crate) mod circuits;
pub(crate) mod engines;
pub(crate) mod jobs;
pub(crate) mod place;
pub(crate) mod queue;
pub(crate) mod starting;
pub(crate) mod steps;
pub(crate) mod sweeping;
pub(crate) mod targets;
pub(crate) mod views;
