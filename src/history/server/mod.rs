//! `ops`: what people start, cancel and close. `import`: one import, page by page. `check`: the regular comparison. `words`: transcripts
//! of imported calls. `store`: SQL.

mod check;
mod close;
mod compare;
mod estimate;
mod import;
pub mod jobs;
pub mod ops;
pub mod routes;
pub(crate) mod store;
mod take;
pub(crate) mod views;
mod words;
