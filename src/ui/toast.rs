//! Short messages at the lower edge. They never hold the only copy of an error.

use std::cell::Cell;
use std::time::Duration;

use leptos::prelude::*;

use super::Icon;
use crate::shared::Tone;

const STAYS: Duration = Duration::from_secs(8);

#[derive(Debug, Clone, PartialEq)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
}

thread_local! {
    // The tab's one list. Handlers of events have no context to find it in; on the server it stays empty.
    static LIST: Cell<Option<RwSignal<Vec<Toast>>>> = const { Cell::new(None) };
    static NEXT: Cell<u32> = const { Cell::new(1) };
}

/// Says that something went well.
pub fn toast(text: impl Into<String>) {
    toast_with(Tone::Ok, text);
}

/// Says something, in a tone. Does nothing on the server.
pub fn toast_with(tone: Tone, text: impl Into<String>) {
    let Some(list) = LIST.get() else { return };
    let id = NEXT.replace(NEXT.get() + 1);
    list.try_update(|list| {
        list.push(Toast { id, tone, text: text.into() });
        let surplus = list.len().saturating_sub(4);
        list.drain(..surplus);
    });
    leave_later(list, id);
}

fn leave_later(list: RwSignal<Vec<Toast>>, id: u32) {
    set_timeout(
        move || {
            // Someone is reading or about to press: wait on.
            let held = document().query_selector(".toasts:is(:hover, :focus-within)").ok().flatten().is_some();
            if held {
                leave_later(list, id);
            } else {
                list.try_update(|list| list.retain(|toast| toast.id != id));
            }
        },
        STAYS,
    );
}

/// The region where the messages appear. The shell holds it once.
#[component]
pub fn Toasts() -> impl IntoView {
    let list = RwSignal::new(Vec::<Toast>::new());
    Effect::new(move |_| LIST.set(Some(list)));
    let drop_one = move |id: u32| list.update(|list| list.retain(|toast| toast.id != id));
    let messages = move || list.get().into_iter().map(|toast| message(toast, drop_one)).collect_view();
    view! {
        <div class="toasts" role="status">
            {messages}
        </div>
    }
}

fn message(toast: Toast, drop_one: impl Fn(u32) + Copy + Send + 'static) -> AnyView {
    let icon = match toast.tone {
        Tone::Ok => "circle-check",
        Tone::Bad | Tone::Warn => "triangle-alert",
        _ => "info",
    };
    view! {
        <div class=format!("toast {}", toast.tone.class())>
            <Icon name=icon/>
            <p>{toast.text}</p>
            <button type="button" class="btn ghost sq js-only" aria-label="Close" on:click=move |_| drop_one(toast.id)>
                <Icon name="x" small=true/>
            </button>
        </div>
    }
    .into_any()
}

/// Text as HTML content.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
