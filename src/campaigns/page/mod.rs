mod contacts;
mod detail;
mod form;
mod list;
mod overview;

pub use detail::CampaignPage;
pub use form::NewCampaignPage;
pub use list::CampaignsPage;
