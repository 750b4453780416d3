//! Patchbay: the control room for agencies that run AI voice agents for their clients.
//!
//! Each folder is a room; `docs/ARCHITECTURE.md` says what each may use. Rooms marked `[server]` exist only in the server half.

pub mod access;
pub mod app;
pub mod shared;
pub mod shell;
pub mod ui;

pub mod agents;
pub mod api_keys;
pub mod audit;
pub mod batches;
pub mod brand;
pub mod calls;
pub mod campaigns;
pub mod client_overview;
pub mod clients;
pub mod connections;
pub mod contacts;
pub mod dialling;
pub mod inbound_webhooks;
pub mod members;
pub mod metering;
pub mod numbers;
pub mod overview;
pub mod platform;
pub mod prompts;
pub mod settings;
pub mod sign_in;
pub mod usage;
pub mod workspaces;

#[cfg(feature = "ssr")]
pub mod boot;
#[cfg(feature = "ssr")]
pub mod jobs;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod providers;
#[cfg(feature = "ssr")]
pub mod sandbox;
#[cfg(feature = "ssr")]
pub mod services;
#[cfg(feature = "ssr")]
pub mod users;

/// Called by the browser once the wasm has arrived: brings the server's page to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
