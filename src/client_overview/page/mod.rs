mod blocks;
mod detail;
mod month;

pub use detail::client_page;
