//! Forms whose state is the address: filters, searches, a first choice.

use leptos::ev::SubmitEvent;
use leptos::form::form_data_from_event;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::UrlSearchParams;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// A form that leads to `action` with its fields as the query; fields left empty are left out. With script no page is loaded; without,
/// the server leads to the address without the empty ones.
#[component]
pub fn GetForm(
    #[prop(into)] action: Signal<String>,
    #[prop(optional, into)] class: Option<String>,
    /// `search` for filters.
    #[prop(optional, into)]
    role: Option<String>,
    /// Names a form with a role.
    #[prop(optional, into)]
    label: Option<String>,
    children: Children,
) -> impl IntoView {
    let navigate = use_navigate();
    let send = move |event: SubmitEvent| {
        if event.default_prevented() {
            return;
        }
        let Some(query) = filled(&event) else { return };
        event.prevent_default();
        let path = action.get_untracked();
        let address = if query.is_empty() { path } else { format!("{path}?{query}") };
        navigate(&address, NavigateOptions::default());
    };
    view! { <form method="get" action=action class=class role=role aria-label=label on:submit=send>{children()}</form> }
}

/// The fields that say something, as a query.
fn filled(event: &SubmitEvent) -> Option<String> {
    let fields = form_data_from_event(event).ok()?;
    let query = UrlSearchParams::new_with_str_sequence_sequence(fields.unchecked_ref()).ok()?;
    let query = String::from(query.to_string());
    let filled: Vec<&str> = query.split('&').filter(|pair| !pair.ends_with('=')).collect();
    Some(filled.join("&"))
}
