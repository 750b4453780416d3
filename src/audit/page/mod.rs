mod event;
mod list;
mod platform;

pub use event::audit_event_page;
pub use list::audit_page;
pub use platform::platform_log_page;
