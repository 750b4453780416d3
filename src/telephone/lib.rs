//! Telephone: calls outside batches. Calls that come in are answered here, and a test call to one's own phone is made here. Owns no
//! table: a call's row belongs to the crate calls.
//!
//! The surprising part: the carrier waits for the answer while the caller hears it ring, so answering is done in the request itself and
//! not by a job (`server::answer`). A slow voice service is asked once; the carrier is told to ask again, and then finds the answer.

pub mod model;
pub mod page;
#[cfg(feature = "ssr")]
pub mod server;
pub mod server_fns;
