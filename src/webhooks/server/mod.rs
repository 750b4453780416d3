//! `events`: something happened, and is written down for those who asked to be told. `giving`: it is given to each of them. `sending`: a
//! worker sends what is due. `attempt`: one request, and what came of it. `endpoints`, `deliveries`: what people do. `off`: an endpoint is
//! switched off by itself. `upkeep`: what is old goes.

mod attempt;
pub mod deliveries;
pub mod endpoints;
mod events;
mod giving;
pub mod jobs;
pub mod listeners;
mod off;
pub(crate) mod pages;
pub mod routes;
mod secrets;
pub mod sending;
mod store;
mod upkeep;

pub use events::{Event, EventsOut, NewEvent, emit};
pub use off::{OffMail, SendOffMail};
pub use upkeep::sweep;
