mod agency;
mod client;
mod host;
mod look;

pub use agency::brand_page;
pub use client::client_brand_page;
