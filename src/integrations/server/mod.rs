//! `ops`: what people do with integrations. `signing_in`, `tokens`: sign-ins at other systems. `sync`: what is exchanged with a CRM, by the
//! rules of `mapping`. `repair`: records that failed. `events`: what happened here and is to be told. `messages`: what systems are told one by one,
//! with `slack` and `custom`. `intake`: what clients' own systems send. `notices`: what HubSpot tells by itself. `store`: SQL.

pub mod callback;
pub mod carriers;
pub(crate) mod connecting;
mod crm;
pub mod custom;
mod custom_words;
mod events;
pub mod hooks;
mod intake;
pub mod jobs;
pub(crate) mod kept;
mod mapping;
pub mod messages;
pub mod notices;
pub mod ops;
pub(crate) mod pages;
pub mod repair;
pub mod routes;
mod signing_in;
pub mod slack;
mod slack_words;
pub(crate) mod store;
mod sweep;
mod sync;
pub mod tokens;

pub use events::events_out;
/// What a contact’s page shows of the systems of its client.
pub use kept::of_contact;
pub use sweep::sweep;
