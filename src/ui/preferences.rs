//! How the pages look to this person: theme and density. Kept in a cookie, so that the server's first HTML is already right.

use std::time::Duration;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast, JsValue};
use leptos::web_sys::Element;

use super::{ButtonKind, Icon, Menu};

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

fn choices(
    key: &'static str,
    action: &'static str,
    values: &'static [(&'static str, &'static str, &'static str)],
) -> AnyView {
    let present = RwSignal::new(String::new());
    Effect::new(move |_| present.set(root().and_then(|root| root.get_attribute(&attribute(key))).unwrap_or_default()));
    let buttons = values
        .iter()
        .map(|(value, label, icon)| {
            let choose = move |event: MouseEvent| {
                event.prevent_default();
                apply(key, value);
                present.set((*value).to_owned());
            };
            view! {
                <button
                    type="submit"
                    role="menuitem"
                    name=key
                    value=*value
                    aria-current=move || (present.get() == *value).then_some("true")
                    on:click=choose
                >
                    <Icon name=icon small=true/>
                    {*label}
                </button>
            }
        })
        .collect_view();
    view! { <form method="post" action=action>{buttons}</form> }.into_any()
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
