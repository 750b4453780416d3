//! What stands in the cells of a list, one function for each of the usual kinds.

use leptos::prelude::*;

use super::{State, Tag, Time};
use patchbay_shared::{Stamp, Tone, Word};

/// A moment, or nothing.
pub fn time<'a>(stamp: impl Into<Option<&'a Stamp>>) -> AnyView {
    time_or(stamp.into(), "")
}

/// A moment, or the word for none, such as “Never”.
pub fn time_or(stamp: Option<&Stamp>, none: &'static str) -> AnyView {
    match stamp {
        Some(stamp) => view! { <Time stamp=stamp.clone()/> }.into_any(),
        None if none.is_empty() => ().into_any(),
        None => none.into_any(),
    }
}

/// StatusDot and word.
pub fn state(word: impl Word) -> AnyView {
    state_of(word.tone(), word.label())
}

/// StatusDot and word, where they are no fixed words.
pub fn state_of(tone: Tone, label: &'static str) -> AnyView {
    view! { <State tone label/> }.into_any()
}

/// The way to what the row is about.
pub fn link(href: String, text: &str) -> AnyView {
    view! { <a class="link" href=href>{text.to_owned()}</a> }.into_any()
}

/// A name that leads to what the row is about, and a remark below it.
pub fn who(href: String, name: &str, note: impl IntoView + 'static) -> AnyView {
    let note = note.into_any();
    view! { <div class="who"><a href=href>{name.to_owned()}</a>{note}</div> }.into_any()
}

/// The remark of `who`: text and tags.
pub fn tagged(text: &str, tags: &[String]) -> AnyView {
    let tags = tags.iter().cloned().map(|tag| view! { <Tag class="outline">{tag}</Tag> }).collect_view();
    view! { <small class="row wrap">{text.to_owned()}" "{tags}</small> }.into_any()
}

/// Text, or the word for none.
pub fn or(text: &Option<String>, none: &str) -> String {
    text.as_deref().unwrap_or(none).to_owned()
}
