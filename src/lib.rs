//! Patchbay: the control room for agencies that run AI voice agents for their clients.
//!
//! Each folder of `src` is a crate, but for these two: `app` is the router over all pages, `boot` puts the server together.
//! `docs/ARCHITECTURE.md` says what stands on what.

pub mod app;
#[cfg(feature = "ssr")]
pub mod boot;

/// Called by the browser once the wasm has arrived: brings the server's page to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
