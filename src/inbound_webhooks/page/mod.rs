//! Pages: the list of events, and one event.

mod detail;
mod list;

pub use detail::InboundWebhookPage;
pub use list::InboundWebhooksPage;
