//! How the pages look to this person: theme and density. Kept in a cookie, so that the server's first HTML is already right.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use leptos::web_sys::Element;

use super::{ButtonKind, Menu};

const THEMES: [(&str, &str, &str); 3] =
    [("system", "System", "monitor"), ("light", "Light", "sun"), ("dark", "Dark", "moon")];
const DENSITIES: [(&str, &str, &str); 3] =
    [("compact", "Compact", "list"), ("regular", "Regular", "list-checks"), ("roomy", "Roomy", "square")];

/// The menu in the top bar: theme and density, as plain forms, at once when there is script.
#[component]
pub fn AppearanceMenu() -> impl IntoView {
    view! {
        <Menu id="appearance" label="Appearance" icon="sun" kind=ButtonKind::Ghost end=true>
            <h3>"Theme"</h3>
            {choices("theme", "/preferences/theme", &THEMES)}
            <hr/>
            <h3>"Row height"</h3>
            {choices("density", "/preferences/density", &DENSITIES)}
        </Menu>
    }
}

/// The buttons are written as text: they never change, but for the mark at the present choice. One handler serves all.
fn choices(key: &'static str, action: &'static str, values: &[(&'static str, &'static str, &'static str)]) -> AnyView {
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| mark(form, &root().and_then(|root| root.get_attribute(&attribute(key))).unwrap_or_default()));
    let choose = move |event: MouseEvent| {
        let button = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest("button").ok().flatten());
        if let Some(value) = button.and_then(|button| button.get_attribute("value")) {
            event.prevent_default();
            apply(key, &value);
            mark(form, &value);
        }
    };
    view! { <form method="post" action=action node_ref=form on:click=choose inner_html=buttons_html(key, values)></form> }
        .into_any()
}

fn buttons_html(key: &'static str, values: &[(&'static str, &'static str, &'static str)]) -> String {
    let button = |(value, label, icon): &(&str, &str, &str)| {
        format!(
            r##"<button type="submit" role="menuitem" name="{key}" value="{value}"><svg class="ic s" aria-hidden="true"><use href="/icons.svg#{icon}"></use></svg>{label}</button>"##
        )
    };
    values.iter().map(button).collect()
}

/// Marks the button of the present choice.
fn mark(form: NodeRef<html::Form>, value: &str) {
    let mut next = form.get_untracked().and_then(|form| form.first_element_child());
    while let Some(button) = next {
        let _ = if button.get_attribute("value").as_deref() == Some(value) {
            button.set_attribute("aria-current", "true")
        } else {
            button.remove_attribute("aria-current")
        };
        next = button.next_element_sibling();
    }
}

fn attribute(key: &str) -> String {
    format!("data-{key}")
}

fn root() -> Option<Element> {
    document().document_element()
}

/// Shows the choice at once and keeps it for a year.
fn apply(key: &str, value: &str) {
    if let Some(root) = root() {
        let _ = root.set_attribute(&attribute(key), value);
    }
    let year = Duration::from_secs(365 * 24 * 3600).as_secs();
    let cookie = format!("{key}={value}; Path=/; Max-Age={year}; SameSite=Lax");
    set_property(document().unchecked_ref::<Element>(), "cookie", &Some(JsValue::from_str(&cookie)));
}
