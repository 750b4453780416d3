//! Knowledge: files and pages that agents look things up in, in collections of one client or of the whole agency.
//! Owns the tables knowledge_collections, knowledge_entries, knowledge_chunks, knowledge_vector_sets and knowledge_vectors.
//!
//! The surprising parts: a file from outside is never read by this process. A child of the same program (`patchbay extract`) with limits
//! on memory and time reads it and writes passages (`server::extract`, `server::worker`); when it dies, the entry is tried again. Passages
//! of a new indexing are written beside the old ones and become visible together, so search always has a whole file. Search is by words,
//! in the language of each file (`search_knowledge` in the database), and where a model for that is chosen by meaning, too
//! (`server::meaning`, docs/decisions/0021-vectors.md).
//! Reads the tables clients, jobs, model_choices, provider_connections and users.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
