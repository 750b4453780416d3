use leptos::prelude::*;

use patchbay_shared::{Stamp, Tone};

/// A drawing from the sprite `/icons.svg`. It only decorates: the words beside it, or the label of its button, say the same.
#[component]
pub fn Icon(
    /// The sprite's id, for example `phone`.
    name: &'static str,
    /// 14 px, as in buttons.
    #[prop(optional)]
    small: bool,
    /// `l` (20 px) or `xl` (32 px).
    #[prop(optional)]
    size: &'static str,
) -> impl IntoView {
    let class = match (small, size) {
        (true, _) => "ic s".to_owned(),
        (false, "") => "ic".to_owned(),
        (false, size) => format!("ic {size}"),
    };
    view! {
        <svg class=class aria-hidden="true">
            <use_ href=format!("/icons.svg#{name}")></use_>
        </svg>
    }
}

/// The jack socket: a ring, or filled when `on`. Always stands beside a word.
#[component]
pub fn StatusDot(tone: Tone, #[prop(default = true)] on: bool) -> impl IntoView {
    let class = format!("status-dot {}{}", tone.class(), if on { " on" } else { "" });
    view! { <i class=class aria-hidden="true"></i> }
}

/// A status dot and the word for it.
#[component]
pub fn State(
    tone: Tone,
    #[prop(into)] label: String,
    #[prop(default = true)] on: bool,
    /// Shows it as a live line whatever the tone.
    #[prop(optional)]
    live: bool,
) -> impl IntoView {
    let tone = if live { Tone::Live } else { tone };
    view! { <span class=format!("st {}", tone.class())><StatusDot tone on/>{label}</span> }
}

/// A small label in the tone's colours.
#[component]
pub fn Tag(#[prop(optional)] tone: Tone, #[prop(optional, into)] class: String, children: Children) -> impl IntoView {
    let tone = if tone == Tone::Mute { "" } else { tone.class() };
    view! { <span class=format!("tag {tone} {class}").trim().to_owned()>{children()}</span> }
}

/// Two letters for a person. The name stands beside it.
#[component]
pub fn Avatar(#[prop(into)] text: String, #[prop(optional)] small: bool) -> impl IntoView {
    view! { <i class=if small { "avatar s" } else { "avatar" } aria-hidden="true">{text}</i> }
}

/// A moment: words in the viewer's zone, the full form on hover, UTC for machines.
#[component]
pub fn Time(stamp: Stamp, #[prop(optional, into)] class: String) -> impl IntoView {
    let class = (!class.is_empty()).then_some(class);
    view! { <time class=class datetime=stamp.utc title=stamp.full>{stamp.text}</time> }
}
