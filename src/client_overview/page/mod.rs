mod blocks;
mod detail;
mod figures;

pub use detail::client_page;
