use leptos::children::ViewFnOnce;
use leptos::prelude::*;

use super::Icon;
use patchbay_shared::Tone;

/// A whole number of any size, or its words: `100+`.
#[derive(Debug, Clone)]
pub struct Count(String);

impl From<i32> for Count {
    fn from(count: i32) -> Self {
        Self(count.to_string())
    }
}

impl From<i64> for Count {
    fn from(count: i64) -> Self {
        Self(count.to_string())
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(count.to_string())
    }
}

impl From<String> for Count {
    fn from(count: String) -> Self {
        Self(count)
    }
}

/// A panel with an optional head (title, count, things on the right) and foot.
#[component]
pub fn Card(
    #[prop(optional, into)] title: Option<String>,
    /// A number beside the title.
    #[prop(optional, into)]
    count: Option<Count>,
    /// Links or tags on the right of the head.
    #[prop(optional, into)]
    right: Option<ViewFnOnce>,
    #[prop(optional, into)] footer: Option<ViewFnOnce>,
    /// `fill`, `clip`, `flat`, `danger-zone`.
    #[prop(optional, into)]
    class: String,
    #[prop(optional, into)] id: Option<String>,
    /// No padding: for lists and tables.
    #[prop(optional)]
    flush: bool,
    /// A line below the head.
    #[prop(optional)]
    ruled: bool,
    children: Children,
) -> impl IntoView {
    let has_head = title.is_some() || right.is_some();
    let body = match (flush, has_head) {
        (true, _) => "body flush",
        (false, true) => "body",
        (false, false) => "body pad",
    };
    view! {
        <section class=format!("card {class}").trim_end().to_owned() id=id>
            {has_head.then(|| view! {
                <header class=ruled.then_some("ruled")>
                    {title.map(|title| view! { <h2>{title}</h2> })}
                    {count.map(|Count(count)| view! { <span class="tag">{count}</span> })}
                    {right.map(|right| view! { <div class="r">{right.run()}</div> })}
                </header>
            })}
            <div class=body>{children()}</div>
            {footer.map(|footer| view! { <footer>{footer.run()}</footer> })}
        </section>
    }
}

/// Rows of name and value.
#[component]
pub fn Facts(
    /// Values start on the left, beside a fixed column of names.
    #[prop(optional)]
    wide: bool,
    #[prop(optional, into)] class: String,
    children: Children,
) -> impl IntoView {
    let wide = if wide { " wide" } else { "" };
    view! { <dl class=format!("facts{wide} {class}").trim_end().to_owned()>{children()}</dl> }
}

/// One row of `Facts`.
#[component]
pub fn Fact(
    #[prop(into)] label: String,
    /// `mono` for numbers and ids.
    #[prop(optional, into)]
    class: String,
    children: Children,
) -> impl IntoView {
    view! { <dt>{label}</dt><dd class=(!class.is_empty()).then_some(class)>{children()}</dd> }
}

/// A thin line over the whole page. `kind`: sandbox, info, warn, bad, ok.
#[component]
pub fn Banner(kind: &'static str, #[prop(optional)] icon: Option<&'static str>, children: Children) -> impl IntoView {
    let icon = icon.unwrap_or(if matches!(kind, "warn" | "bad") { "triangle-alert" } else { "info" });
    view! { <div class=format!("banner {kind}") role="status"><Icon name=icon small=true/>{children()}</div> }
}

/// A remark inside a page, with its link at the end.
#[component]
pub fn Callout(
    #[prop(optional)] tone: Tone,
    #[prop(optional)] icon: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let icon = icon.unwrap_or(if matches!(tone, Tone::Warn | Tone::Bad) { "triangle-alert" } else { "info" });
    view! { <div class=format!("callout {}", tone.class())><Icon name=icon/><div>{children()}</div></div> }
}
