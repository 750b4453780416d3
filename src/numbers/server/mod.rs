//! `ops`: what people do with numbers. `order`: renting one, step by step, in the background. `route`: where the carrier sends its calls.
//! `answering`: who answers them.

pub mod answering;
pub mod jobs;
pub mod ops;
pub(crate) mod order;
pub(crate) mod route;
pub mod routes;
pub(crate) mod store;
