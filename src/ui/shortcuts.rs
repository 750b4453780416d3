//! Keys: `g` and a letter to go somewhere, `/` to search, `?` for help. Never while typing; each person can switch them off.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev::{KeyboardEvent, keydown};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::{Icon, escape_html};

/// A letter that follows `g`, and where it leads.
#[derive(Debug, Clone, PartialEq)]
pub struct GoTo {
    pub letter: char,
    pub label: String,
    pub href: String,
}

/// Where the browser keeps that keys are switched off.
const KEPT_AS: &str = "shortcuts";

fn switched_on() -> bool {
    let kept = window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEPT_AS).ok().flatten());
    kept.as_deref() != Some("off")
}

fn switch(on: bool) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(KEPT_AS, if on { "on" } else { "off" });
    }
}

/// Listens for keys and holds the help about them.
#[component]
pub fn Shortcuts(#[prop(into)] go: Signal<Vec<GoTo>>) -> impl IntoView {
    let help = NodeRef::<html::Dialog>::new();
    let on = RwSignal::new(true);
    let navigate = use_navigate();
    Effect::new(move |_| {
        on.set(switched_on());
        let after_g = Rc::new(Cell::new(false));
        let navigate = navigate.clone();
        let handle = window_event_listener(keydown, move |event: KeyboardEvent| {
            let waited = after_g.replace(false);
            if !on.get_untracked()
                || event.default_prevented()
                || has_modifier(&event)
                || is_typing(&event)
                || dialog_is_open()
            {
                return;
            }
            match event.key().as_str() {
                key if waited => {
                    let target = go.with_untracked(|go| {
                        go.iter().find(|place| key.chars().eq([place.letter])).map(|place| place.href.clone())
                    });
                    if let Some(href) = target {
                        event.prevent_default();
                        navigate(&href, NavigateOptions::default());
                    }
                }
                "g" => after_g.set(true),
                "/" => {
                    if let Some(field) = search_field() {
                        event.prevent_default();
                        let _ = field.focus();
                    }
                }
                "?" => {
                    if let Some(dialog) = help.get_untracked() {
                        event.prevent_default();
                        let _ = dialog.show_modal();
                    }
                }
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    });
    let toggle = move |event: leptos::ev::Event| {
        let wanted = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            .is_none_or(|input| input.checked());
        switch(wanted);
        on.set(wanted);
    };
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            field.set_checked(on.get());
        }
    });
    // The head's button is the only one.
    let close = move |event: leptos::ev::MouseEvent| {
        let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_button = pressed.and_then(|target| target.closest("button").ok().flatten()).is_some();
        if let (true, Some(dialog)) = (is_button, help.get_untracked()) {
            dialog.close();
        }
    };
    view! {
        <dialog class="dialog" id="keys-help" aria-labelledby="keys-help-title" node_ref=help on:click=close>
            <header>
                <h2 id="keys-help-title">"Keyboard"</h2>
                <button type="button" class="btn ghost sq" aria-label="Close">
                    <svg class="ic" aria-hidden="true"><use_ href="/icons.svg#x"></use_></svg>
                </button>
            </header>
            <div class="body">
                <dl class="facts" inner_html=move || go.with(|go| rows_html(go))></dl>
                <label class="switch">
                    <input type="checkbox" role="switch" node_ref=field on:change=toggle/>
                    <span>"Use single keys"<small>"Saved in this browser."</small></span>
                </label>
            </div>
        </dialog>
    }
}

/// Opens the help about keys.
#[component]
pub fn HelpButton() -> impl IntoView {
    let open = |_| {
        let dialog =
            document().get_element_by_id("keys-help").and_then(|found| found.dyn_into::<HtmlDialogElement>().ok());
        if let Some(dialog) = dialog {
            let _ = dialog.show_modal();
        }
    };
    view! {
        <button type="button" class="btn ghost sq js-only" aria-label="Keyboard help" aria-haspopup="dialog" on:click=open>
            <Icon name="circle-question-mark"/>
        </button>
    }
}

fn rows_html(go: &[GoTo]) -> String {
    let places: String = go
        .iter()
        .map(|place| {
            let (label, letter) = (escape_html(&place.label), place.letter.to_ascii_uppercase());
            format!("<dt>{label}</dt><dd><kbd>G</kbd> <kbd>{letter}</kbd></dd>")
        })
        .collect();
    places
        + "<dt>Search this page</dt><dd><kbd>/</kbd></dd><dt>This help</dt><dd><kbd>?</kbd></dd>\
           <dt>Close a dialog or menu</dt><dd><kbd>Esc</kbd></dd>"
}

fn has_modifier(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key()
}

fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .and_then(|target| {
            target.closest("input, textarea, select, [contenteditable], [role=menu], audio").ok().flatten()
        })
        .is_some()
}

fn dialog_is_open() -> bool {
    document().query_selector("dialog[open], :popover-open").ok().flatten().is_some()
}

fn search_field() -> Option<HtmlElement> {
    document().query_selector("[data-search]").ok()??.dyn_into().ok()
}
