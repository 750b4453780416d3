use leptos::prelude::*;

use patchbay_access::{Action, ClientName, Viewer};
use patchbay_shared::AppError;
use patchbay_ui::*;

/// The person who is looking. Only inside signed-in pages.
pub fn viewer() -> Viewer {
    expect_context::<Viewer>()
}

/// What somebody who may not do this sees in place of the page, with the status that goes with it. None: they may.
pub fn refused(action: Action) -> Option<AnyView> {
    let viewer = viewer();
    if viewer.may(action) {
        return None;
    }
    // The platform's pages, and an agency's for its clients' people, do not exist.
    let hidden = action == Action::ManagePlatform || !viewer.role.is_agency();
    let error = if hidden { AppError::NotFound } else { AppError::Forbidden };
    if let Some(set) = use_context::<patchbay_ui::page_boundary::SetStatus>() {
        (set.0)(error.status());
    }
    Some(view! { <Trouble page=true error/> }.into_any())
}

/// Clients for a picker: id and name.
pub fn client_options() -> Vec<(String, String)> {
    let names = use_context::<StoredValue<Vec<ClientName>>>();
    names
        .map(|names| names.get_value())
        .unwrap_or_default()
        .into_iter()
        .map(|row| (row.id.to_string(), row.name))
        .collect()
}
