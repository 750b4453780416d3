//! Short messages at the lower edge. They never hold the only copy of an error.

use std::time::Duration;

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::prelude::Closure;
use leptos::web_sys::Element;

use super::escape_html;
use patchbay_shared::Tone;

const STAYS: Duration = Duration::from_secs(8);
const MOST: u32 = 4;

/// Says that something went well.
pub fn toast(text: impl Into<String>) {
    toast_with(Tone::Ok, text);
}

/// Says something, in a tone. Only in the browser; elsewhere nobody calls it.
pub fn toast_with(tone: Tone, text: impl Into<String>) {
    let Ok(Some(region)) = document().query_selector(".toasts") else { return };
    let Ok(message) = document().create_element("div") else { return };
    let icon = match tone {
        Tone::Ok => "circle-check",
        Tone::Bad | Tone::Warn => "triangle-alert",
        _ => "info",
    };
    message.set_class_name(&format!("toast {}", tone.class()));
    message.set_inner_html(&message_html(icon, &text.into()));
    if let Ok(Some(close)) = message.query_selector("button") {
        let gone = message.clone();
        let remove = Closure::once_into_js(move || gone.remove());
        let _ = close.add_event_listener_with_callback("click", remove.unchecked_ref());
    }
    let _ = region.append_child(&message);
    while region.child_element_count() > MOST {
        let Some(oldest) = region.first_element_child() else { break };
        oldest.remove();
    }
    leave_later(message);
}

fn message_html(icon: &'static str, text: &str) -> String {
    format!(
        r##"<svg class="ic" aria-hidden="true"><use href="/icons.svg#{icon}"></use></svg><p>{}</p>
<button type="button" class="btn ghost sq" aria-label="Close"><svg class="ic s" aria-hidden="true"><use href="/icons.svg#x"></use></svg></button>"##,
        escape_html(text)
    )
}

fn leave_later(message: Element) {
    set_timeout(
        move || {
            // Someone is reading or about to press: wait on.
            if message.matches(".toasts:is(:hover, :focus-within) > *").unwrap_or(false) {
                leave_later(message);
            } else {
                message.remove();
            }
        },
        STAYS,
    );
}

/// The region where the messages appear. The shell holds it once. Messages are put in by hand, one by one: a screen reader
/// reads each when it comes, and closing one leaves the others, and the focus on them, alone.
#[component]
pub fn Toasts() -> impl IntoView {
    view! { <div class="toasts" role="status"></div> }
}
