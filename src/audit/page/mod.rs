mod event;
mod list;

pub use event::audit_event_page;
pub use list::audit_page;
