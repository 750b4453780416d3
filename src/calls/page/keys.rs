//! What moves by itself in the list: J and K between rows, and timers of calls that go on. Browser only.

use std::time::Duration;

use leptos::ev::{KeyboardEvent, keydown};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlElement, js_sys};

use patchbay_shared::money::length_text;

/// J and K move the focus between the elements `row-0`, `row-1`, …; Enter then opens the link as it always does.
pub(crate) fn walk_rows() {
    Effect::new(move |_| {
        let handle = window_event_listener(keydown, |event: KeyboardEvent| {
            let step = match event.key().as_str() {
                "j" => 1,
                "k" => -1,
                _ => return,
            };
            if event.default_prevented()
                || event.ctrl_key()
                || event.meta_key()
                || event.alt_key()
                || is_typing(&event)
                || switched_off()
            {
                return;
            }
            let at =
                document().active_element().and_then(|element| element.id().strip_prefix("row-")?.parse::<i32>().ok());
            let next = at.map_or(0, |at| at + step).max(0);
            let row = document()
                .get_element_by_id(&format!("row-{next}"))
                .and_then(|element| element.dyn_into::<HtmlElement>().ok());
            if let Some(row) = row {
                event.prevent_default();
                let _ = row.focus();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target
        .and_then(|target| {
            target.closest("input, textarea, select, dialog, [contenteditable], [role=menu]").ok().flatten()
        })
        .is_some()
}

/// The person has switched single keys off, in the help about keys.
fn switched_off() -> bool {
    let kept = window().local_storage().ok().flatten().and_then(|storage| storage.get_item("shortcuts").ok().flatten());
    kept.as_deref() == Some("off")
}

/// The length of a call that goes on: the server's figure first, then a second more each second.
#[component]
pub fn Ticking(seconds: i64) -> impl IntoView {
    let shown = RwSignal::new(seconds);
    Effect::new(move |_| {
        // Counted from the moment the page came, so that a browser whose clock is wrong shows the right length.
        let began = js_sys::Date::now() - seconds as f64 * 1000.0;
        let tick = move || {
            shown.try_set(((js_sys::Date::now() - began) / 1000.0).round() as i64);
        };
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
    });
    view! { <span class="num">{move || length_text(shown.get())}</span> }
}
