mod dns;
pub mod hosts;
pub mod logos;
pub mod ops;
mod palette;
pub mod rest;
pub mod store;
mod style;
mod upload;

pub use dns::install as install_dns;

use super::model::{Brand, Branding, PRODUCT};

/// A brand as pages show it.
pub fn shown(branding: Branding) -> Brand {
    Brand {
        logo: branding.logo.as_deref().map(logos::address),
        style: branding.accent.as_deref().and_then(style::address),
        support: branding.support,
        product: branding.product.unwrap_or_else(|| PRODUCT.to_owned()),
    }
}
