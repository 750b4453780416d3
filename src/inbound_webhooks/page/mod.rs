//! Page: one event. The list is part of the one of all queues.

mod detail;

pub use detail::inbound_webhook_page;
