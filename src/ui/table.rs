//! Lists: a real table, sorted and paged by links.

use leptos::children::ViewFnOnce;
use leptos::prelude::*;

use super::address::{query, with_query};
use super::mark::Icon;

/// A table in a region that scrolls sideways by keyboard too. `label` names both.
#[component]
pub fn DataTable(
    #[prop(into)] label: String,
    /// `wide`, `mid`, `wrap`, `top`.
    #[prop(optional, into)]
    class: String,
    /// The cells of the head row.
    #[prop(into)]
    head: ViewFnOnce,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=label>
            <table class=format!("t {class}").trim_end().to_owned()>
                <caption class="sr">{label.clone()}</caption>
                <thead><tr>{head.run()}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// A column head that sorts: `?sort=key`, or `?sort=-key` from the largest down.
#[component]
pub fn SortHead(
    #[prop(into)] label: String,
    key: &'static str,
    /// How the list is sorted when the address says nothing, for example `-started`.
    #[prop(optional)]
    default: &'static str,
    #[prop(optional)] num: bool,
    /// The first press sorts from the largest down: for times and amounts.
    #[prop(optional)]
    descending_first: bool,
) -> impl IntoView {
    let current = move || {
        let sort = query("sort").unwrap_or_else(|| default.to_owned());
        match sort.strip_prefix('-') {
            Some(rest) if rest == key => Some(true),
            None if sort == key => Some(false),
            _ => None,
        }
    };
    let href = move || {
        let descending = current().map_or(descending_first, |descending| !descending);
        let sort = if descending { format!("-{key}") } else { key.to_owned() };
        with_query(&[("sort", Some(&sort))])
    };
    let state = move || match current() {
        Some(true) => "descending",
        Some(false) => "ascending",
        None => "none",
    };
    let arrow = move || match current() {
        Some(true) => "↓",
        Some(false) => "↑",
        None => "",
    };
    view! {
        <th scope="col" class=num.then_some("num") aria-sort=state>
            <a href=href>{label}<span aria-hidden="true">{arrow}</span></a>
        </th>
    }
}

/// Links to the neighbouring pages of a list. Nothing when there is only one page.
#[component]
pub fn Pager(
    #[prop(into)] newer: Option<String>,
    #[prop(into)] older: Option<String>,
    #[prop(optional, into)] note: Option<String>,
) -> impl IntoView {
    (newer.is_some() || older.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label="Pages">
                {note.map(|note| view! { <span>{note}</span> })}
                <div class="acts">{page_link("Newer", newer)}{page_link("Older", older)}</div>
            </nav>
        }
    })
}

fn page_link(text: &'static str, cursor: Option<String>) -> AnyView {
    match cursor {
        Some(cursor) => {
            view! { <a class="btn" href=move || with_query(&[("cursor", Some(&cursor))])>{text}</a> }.into_any()
        }
        None => view! { <span class="btn" aria-disabled="true">{text}</span> }.into_any(),
    }
}

/// A link that downloads the list as it is filtered now.
#[component]
pub fn ExportLink(path: &'static str) -> impl IntoView {
    let href = move || {
        let here = with_query(&[]);
        format!("{path}{}", here.find('?').map_or("", |at| &here[at..]))
    };
    view! { <a class="btn" rel="external" href=href><Icon name="download" small=true/>"Export"</a> }
}
