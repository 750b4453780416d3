//! `store`: SQL. `ops`: what people do; `again`: going on with a batch that failed;
//! `call_backs`: dialling those that are due; `stuck`: batches that nobody dials. `tick`, `dial`, `reconcile`: what the worker does; `clearance`: whether it may. `view`: the page of a batch.

mod again;
pub mod api;
mod call_backs;
mod clearance;
mod dial;
mod halt_reason;
mod hours;
pub mod jobs;
pub mod ops;
mod reconcile;
pub mod routes;
pub(crate) mod store;
pub mod stuck;
mod tick;
mod told;
pub(crate) mod view;
