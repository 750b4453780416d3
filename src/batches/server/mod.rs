//! `store`: SQL. `ops`: what people do. `tick`, `dial`, `reconcile`: what the worker does; `clearance`: whether it may. `view`: the page of a batch.

pub mod api;
mod clearance;
mod dial;
mod hours;
pub mod jobs;
pub mod ops;
mod pause_reason;
mod reconcile;
pub mod routes;
pub(crate) mod store;
mod tick;
pub(crate) mod view;
