use std::time::Duration;

use leptos::prelude::*;

use super::Icon;

/// How much weight a button has. One primary per page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonKind {
    #[default]
    Plain,
    Primary,
    Ghost,
    /// Red words: opens something that cannot be taken back.
    Danger,
    /// Filled red: does it.
    DangerSolid,
}

impl ButtonKind {
    fn class(self) -> &'static str {
        match self {
            ButtonKind::Plain => "btn",
            ButtonKind::Primary => "btn pri",
            ButtonKind::Ghost => "btn ghost",
            ButtonKind::Danger => "btn danger",
            ButtonKind::DangerSolid => "btn danger solid",
        }
    }
}

/// The class list of a button or of a link that looks like one.
pub fn button_class(kind: ButtonKind, square: bool, small: bool, more: &str) -> String {
    let mut class = kind.class().to_owned();
    for (set, word) in [(square, "sq"), (small, "sm"), (!more.is_empty(), more)] {
        if set {
            class.push(' ');
            class.push_str(word);
        }
    }
    class
}

/// A button with words.
#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    /// Sends its form; else it only does what `on:click` says.
    #[prop(optional)]
    submit: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Waiting for an answer: spins and takes no second press.
    #[prop(optional, into)]
    busy: Signal<bool>,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] class: String,
    #[prop(optional, into)] popovertarget: Option<String>,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    /// The id of the form, when the button stands outside it.
    #[prop(optional, into)]
    form: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=button_class(kind, false, small, &class)
            disabled=move || disabled.get() || busy.get()
            aria-busy=move || busy.get().then_some("true")
            popovertarget=popovertarget
            name=name
            value=value
            form=form
        >
            {icon.map(|name| view! { <Icon name small=true/> })}
            {children()}
        </button>
    }
}

/// A button that is only an icon. `label` is what a screen reader says and what shows on hover.
#[component]
pub fn IconButton(
    icon: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] submit: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] class: String,
    #[prop(optional, into)] popovertarget: Option<String>,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
) -> impl IntoView {
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=button_class(kind, true, small, &class)
            disabled=disabled
            aria-label=label.clone()
            title=label
            popovertarget=popovertarget
            name=name
            value=value
        >
            <Icon name=icon small=small/>
        </button>
    }
}

/// A link that looks like a button: it goes somewhere, a button does something.
#[component]
pub fn LinkButton(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] class: String,
    /// A whole page load: files and pages outside the app.
    #[prop(optional)]
    external: bool,
    /// The name of the link when its children are only an icon.
    #[prop(optional, into)]
    label: Option<String>,
    #[prop(optional)] square: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <a
            class=button_class(kind, square, small, &class)
            href=href
            rel=external.then_some("external")
            aria-label=label.clone()
            title=label
        >
            {icon.map(|name| view! { <Icon name small=true/> })}
            {children.map(|children| children())}
        </a>
    }
}

/// Puts `text` on the clipboard and says so. Needs script, so it shows only once there is some.
#[component]
pub fn CopyButton(#[prop(into)] text: String, #[prop(into)] label: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let spoken = label.clone();
    let copy = move |_| {
        let _ = window().navigator().clipboard().write_text(&text);
        copied.set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            Duration::from_secs(2),
        );
    };
    view! {
        <button
            type="button"
            class="btn ghost sq sm js-only"
            aria-label=move || if copied.get() { "Copied".to_owned() } else { spoken.clone() }
            title=label
            on:click=copy
        >
            {move || if copied.get() { view! { <Icon name="check" small=true/> } } else { view! { <Icon name="copy" small=true/> } }}
        </button>
    }
}
