//! Dialogs. The address can hold an open one (`?dialog=name`), so they work without script; with script they are modal.

use leptos::children::ViewFnOnce;
use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::HtmlDialogElement;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::address::{query, with_query};
use super::button::{Button, ButtonKind, button_class};
use super::form::ServerForm;
use super::form_action::FormAction;
use super::{Icon, SubmitButton};

fn element_id(name: &str) -> String {
    format!("dialog-{name}")
}

fn find(name: &str) -> Option<HtmlDialogElement> {
    document().get_element_by_id(&element_id(name))?.dyn_into().ok()
}

/// Opens the dialog `name` of this page. It is a link, so it works before there is script.
#[component]
pub fn DialogLink(
    #[prop(into)] name: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] small: bool,
    /// Replaces the look of a button, for example `link`.
    #[prop(optional, into)]
    class: Option<String>,
    /// The name when the children are only an icon.
    #[prop(optional, into)]
    label: Option<String>,
    children: Children,
) -> impl IntoView {
    let target = name.clone();
    let open = move |event: MouseEvent| {
        if let Some(dialog) = find(&target) {
            event.prevent_default();
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        }
    };
    view! {
        <a
            class=class.unwrap_or_else(|| button_class(kind, false, small, ""))
            href=move || with_query(&[("dialog", Some(&name))])
            aria-haspopup="dialog"
            aria-label=label
            on:click=open
        >
            {icon.map(|name| view! { <Icon name small=true/> })}
            {children()}
        </a>
    }
}

/// A dialog of the page.
#[component]
pub fn Dialog(
    /// Unique on the page; the value of `?dialog=`.
    #[prop(into)]
    name: String,
    #[prop(into)] title: String,
    #[prop(optional)] wide: bool,
    /// Comes from the right edge.
    #[prop(optional)]
    drawer: bool,
    #[prop(optional, into)] footer: Option<ViewFnOnce>,
    children: Children,
) -> impl IntoView {
    let class = match (wide, drawer) {
        (_, true) => "dialog drawer",
        (true, false) => "dialog wide",
        (false, false) => "dialog",
    };
    let body = view! {
        <div class="body">{children()}</div>
        {footer.map(|footer| view! { <footer>{footer.run()}</footer> })}
    };
    frame(name, title, class, body.into_any())
}

fn frame(name: String, title: String, class: &'static str, content: AnyView) -> AnyView {
    let element = NodeRef::<html::Dialog>::new();
    let navigate = use_navigate();
    let (id, title_id) = (element_id(&name), format!("{}-title", element_id(&name)));
    let asked = {
        let name = name.clone();
        Memo::new(move |_| query("dialog").as_deref() == Some(name.as_str()))
    };
    // What the server wrote open in the page becomes modal once there is script.
    Effect::new(move |before: Option<bool>| {
        let (Some(dialog), asked) = (element.get(), asked.get()) else { return false };
        if asked && before != Some(true) {
            let _ = dialog.remove_attribute("open");
            let _ = dialog.show_modal();
        } else if !asked && before == Some(true) && dialog.open() {
            dialog.close();
        }
        asked
    });
    let without = Memo::new(move |_| with_query(&[]));
    let closed = move |_| {
        if asked.get_untracked() {
            navigate(
                &without.get_untracked(),
                NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() },
            );
        }
    };
    let close = move |event: MouseEvent| {
        if let Some(dialog) = element.get_untracked() {
            event.prevent_default();
            dialog.close();
        }
    };
    // A press on the backdrop is a press on the dialog itself.
    let outside = move |event: MouseEvent| {
        if let Some(dialog) = element.get_untracked()
            && event.target().is_some_and(|target| target == ***dialog.unchecked_ref::<leptos::web_sys::Element>())
        {
            dialog.close();
        }
    };
    view! {
        <dialog class=class id=id aria-labelledby=title_id open=asked.get_untracked() node_ref=element on:close=closed on:mousedown=outside>
            <header>
                <h2 id=title_id.clone()>{title}</h2>
                <a class="btn ghost sq" href=move || without.get() aria-label="Close" on:click=close><Icon name="x"/></a>
            </header>
            {content}
        </dialog>
    }
    .into_any()
}

/// Asks before something that costs money or cannot be taken back: a dialog with one form. `children` are its hidden inputs or fields.
#[component]
pub fn ConfirmForm(
    #[prop(into)] name: String,
    action: FormAction,
    #[prop(into)] title: String,
    /// What will happen.
    #[prop(into)]
    text: String,
    /// The words on the button that does it.
    #[prop(into)]
    confirm: String,
    #[prop(default = "Cancel".to_owned(), into)] cancel: String,
    #[prop(optional)] danger: bool,
    /// Called in the browser after success.
    #[prop(optional, into)]
    on_done: Option<Callback<()>>,
    /// What a message says after success.
    #[prop(optional)]
    said: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let shut = {
        let name = name.clone();
        move || {
            if let Some(dialog) = find(&name)
                && dialog.open()
            {
                dialog.close();
            }
        }
    };
    let done = {
        let shut = shut.clone();
        Callback::new(move |()| {
            shut();
            if let Some(on_done) = on_done {
                on_done.run(());
            }
        })
    };
    let prefix = element_id(&name);
    let content = view! {
        <ServerForm action prefix class="confirm" on_done=done said>
            <div class="body"><p>{text}</p>{children.map(|children| children())}</div>
            <footer>
                <a
                    class="btn"
                    href=move || with_query(&[])
                    on:click=move |event: MouseEvent| {
                        event.prevent_default();
                        shut();
                    }
                >
                    {cancel}
                </a>
                <SubmitButton kind=if danger { ButtonKind::DangerSolid } else { ButtonKind::Primary }>{confirm}</SubmitButton>
            </footer>
        </ServerForm>
    };
    frame(name, title, "dialog", content.into_any())
}

/// Closes the dialog around it, for buttons in a dialog's foot. Needs script; the head's link works without.
#[component]
pub fn DialogClose(#[prop(into)] name: String, children: Children) -> impl IntoView {
    let close = move |_| {
        if let Some(dialog) = find(&name) {
            dialog.close();
        }
    };
    view! { <Button class="js-only" on:click=close>{children()}</Button> }
}
