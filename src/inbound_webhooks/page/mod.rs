//! Pages: the list of events, and one event.

mod detail;
mod list;

pub use detail::inbound_webhook_page;
pub use list::inbound_webhooks_page;
