//! Pages of integrations: `/integrations` with everything that is connected, `/integrations/new/{type}`, `/integrations/{id}` and below it
//! `setup`, `sign-in`, `mapping`, `preview`, `syncs`, `syncs/{sync}`, `failed`, `settings`, `secret` and `messages`.

mod activities;
mod carrier;
mod connect;
mod deals;
mod failed;
mod gallery;
mod head;
mod list;
mod mapping;
mod messages;
mod overview;
mod preview;
mod settings;
mod settings_messages;
mod settings_notices;
mod side;
mod sign_in;
mod slack;
mod syncs;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::BelowQuery;
use patchbay_ui::address::query_string;
use patchbay_ui::*;

pub use activities::contact_activities_page;
pub use connect::new_integration_page;
pub use deals::integration_deals_page;
pub use failed::failed_records_page;
pub use list::integrations_page;
pub use mapping::integration_mapping_page;
pub use messages::integration_messages_page;
pub use overview::integration_page;
pub use preview::integration_preview_page;
pub use settings::{integration_settings_page, integration_setup_page};
pub use settings_messages::integration_secret_page;
pub use sign_in::integration_sign_in_page;
pub use syncs::{integration_sync_page, integration_syncs_page};

/// What the address narrows a list to.
fn asked() -> BelowQuery {
    BelowQuery {
        words: query("q"),
        state: query("state"),
        kind: query("kind"),
        action: query("action"),
        remedy: query("remedy"),
        way: query("way"),
        sort: query("sort"),
        cursor: query("cursor"),
    }
}

/// The id of the integration whose page this is. Call it inside a page.
fn own_id() -> String {
    use_params_map().read_untracked().get("id").unwrap_or_default()
}

/// The list's filters go along to its file.
fn export_address(path: String) -> String {
    let keys = ["q", "kind", "state", "client", "action", "remedy", "way", "sort"];
    let pairs: Vec<(String, String)> = keys.into_iter().filter_map(|key| Some((key.to_owned(), query(key)?))).collect();
    format!("{path}{}", query_string(&pairs))
}

/// A link to the list's file.
fn export(path: String) -> AnyView {
    let href = Signal::derive(move || export_address(path.clone()));
    view! { <LinkButton href icon="download" external=true>"Export"</LinkButton> }.into_any()
}
