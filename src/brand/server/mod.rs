mod dns;
pub mod hosts;
pub mod layer;
pub(crate) mod logos;
pub mod ops;
mod palette;
pub mod routes;
mod store;
mod style;
mod upload;

use super::model::{Brand, Branding, PRODUCT};
use patchbay_services::Services;

/// A brand as pages show it.
pub(crate) fn shown(services: &Services, branding: Branding) -> Brand {
    Brand {
        logo: branding.logo.as_deref().map(logos::address),
        style: branding.accent.as_deref().and_then(|accent| style::address(&services.state(), accent)),
        support: branding.support,
        product: branding.product.unwrap_or_else(|| PRODUCT.to_owned()),
    }
}
