mod contacts;
mod detail;
mod form;
mod list;
mod overview;

pub use detail::campaign_page;
pub use form::new_campaign_page;
pub use list::campaigns_page;
