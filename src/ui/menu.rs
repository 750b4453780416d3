//! Menus: a popover under its button, which opens without script; with script the arrow keys walk through it.

use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::js_sys::JsString;
use leptos::web_sys::{Element, HtmlElement, Node};

use super::Icon;
use super::button::{ButtonKind, button_class};
use super::form::ServerForm;
use super::form_action::FormAction;

/// A button and the menu that it opens.
#[component]
pub fn Menu(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What a screen reader calls the menu.
    #[prop(into)]
    label: String,
    #[prop(optional)] icon: Option<&'static str>,
    /// Words on the button.
    #[prop(optional, into)]
    text: Option<String>,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] small: bool,
    /// Hangs from the button's right edge.
    #[prop(optional)]
    end: bool,
    /// Opens upwards.
    #[prop(optional)]
    above: bool,
    /// Replaces the look of the button.
    #[prop(optional, into)]
    button_class_list: Option<String>,
    children: Children,
) -> impl IntoView {
    let square = text.is_none();
    let class = button_class_list.unwrap_or_else(|| button_class(kind, square, small, ""));
    let named = label.clone();
    let content = view! {
        {icon.map(|name| view! { <Icon name small=!square/> })}
        {text.map(|text| view! { {text} <Icon name="chevron-down" small=true/> })}
    };
    view! {
        <button type="button" class=class popovertarget=id.clone() aria-haspopup="menu" aria-label=square.then_some(named)>
            {content}
        </button>
        <MenuList id label end above>{children()}</MenuList>
    }
}

/// The menu alone, for a button of another look (`popovertarget=id`).
#[component]
pub fn MenuList(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional)] end: bool,
    #[prop(optional)] above: bool,
    children: Children,
) -> impl IntoView {
    let list = NodeRef::<Div>::new();
    let class = match (end, above) {
        (_, true) => "menu above",
        (true, false) => "menu end",
        (false, false) => "menu",
    };
    let opened = move |_| {
        if let Some(menu) = list.get_untracked()
            && menu.matches(":popover-open").unwrap_or(false)
        {
            focus(items(&menu).first());
        }
    };
    let walk = move |event: KeyboardEvent| {
        let Some(menu) = list.get_untracked() else { return };
        let items = items(&menu);
        let now = document()
            .active_element()
            .and_then(|active| items.iter().position(|item| item.is_same_node(Some(&active))));
        let last = items.len().saturating_sub(1);
        let key = event.key();
        let next = match key.as_str() {
            "ArrowDown" => now.map_or(0, |now| if now == last { 0 } else { now + 1 }),
            "ArrowUp" => now.map_or(last, |now| if now == 0 { last } else { now - 1 }),
            "Home" => 0,
            "End" => last,
            letter if letter.chars().count() == 1 && !event.ctrl_key() && !event.meta_key() && letter != " " => {
                match starting_with(&items, now, letter) {
                    Some(found) => found,
                    None => return,
                }
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        focus(items.get(next));
    };
    // A choice closes the menu; forms are sent first.
    let chosen = move |event: leptos::ev::MouseEvent| {
        let on_item = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest("[role=menuitem]").ok().flatten())
            .is_some();
        if let (true, Some(menu)) = (on_item, list.get_untracked()) {
            set_timeout(
                move || {
                    let _ = menu.hide_popover();
                },
                std::time::Duration::ZERO,
            );
        }
    };
    view! {
        <div class=class id=id popover="auto" role="menu" aria-label=label node_ref=list on:toggle=opened on:keydown=walk on:click=chosen>
            {children()}
        </div>
    }
}

/// The entries in the order of the page, those inside forms too.
fn items(menu: &Element) -> Vec<HtmlElement> {
    let mut found = Vec::new();
    let mut next = menu.first_element_child();
    while let Some(child) = next {
        if child.get_attribute("role").as_deref() == Some("menuitem") && !child.has_attribute("disabled") {
            found.extend(child.clone().dyn_into::<HtmlElement>().ok());
        } else {
            found.extend(items(&child));
        }
        next = child.next_element_sibling();
    }
    found
}

fn focus(item: Option<&HtmlElement>) {
    if let Some(item) = item {
        let _ = item.focus();
    }
}

/// The next entry after `now` that begins with `letter`.
fn starting_with(items: &[HtmlElement], now: Option<usize>, letter: &str) -> Option<usize> {
    // The browser's own: the table of all letters would be loaded otherwise.
    let lower = |text: &str| String::from(JsString::from(text).to_lower_case());
    let letter = lower(letter);
    let first = now.map_or(0, |now| now + 1);
    (first..first + items.len()).map(|index| index % items.len()).find(|index| {
        let text = AsRef::<Node>::as_ref(&items[*index]).text_content().unwrap_or_default();
        lower(text.trim()).starts_with(&letter)
    })
}

/// An entry that goes somewhere.
#[component]
pub fn MenuLink(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] external: bool,
    #[prop(optional, into)] current: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! {
        <a role="menuitem" href=href rel=external.then_some("external") aria-current=move || current.get().then_some("true")>
            {icon.map(|name| view! { <Icon name small=true/> })}
            {children()}
        </a>
    }
}

/// An entry that does something, through `on:click`, or by sending the form around it.
#[component]
pub fn MenuButton(
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] danger: bool,
    #[prop(optional)] submit: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            role="menuitem"
            class=danger.then_some("danger")
            disabled=disabled
            name=name
            value=value
        >
            {icon.map(|name| view! { <Icon name small=true/> })}
            {children()}
        </button>
    }
}

/// An entry that calls a server function. `children` are the hidden inputs.
#[component]
pub fn MenuForm(
    action: FormAction,
    #[prop(into)] text: String,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] danger: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <ServerForm action class="plain" no_summary=true>
            {children.map(|children| children())}
            <MenuButton nostrip:icon=icon danger submit=true>{text}</MenuButton>
        </ServerForm>
    }
}
