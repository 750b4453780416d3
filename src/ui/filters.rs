use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::address::{Kept, query, query_string, with_query};
use super::{GetForm, Icon};
use patchbay_shared::Word;

/// One filter of a list: a choice, or a day.
#[derive(Debug, Clone)]
pub struct Filter {
    pub(super) name: &'static str,
    label: String,
    /// Empty for a day.
    options: Vec<(String, String)>,
    any: String,
    rare: bool,
}

impl Filter {
    /// A choice; `options` are (value, label).
    pub fn new(name: &'static str, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        let label = label.into();
        Self { name, any: format!("{label}: any"), label, options, rare: false }
    }

    /// A choice of fixed words.
    pub fn words<W: Word>(name: &'static str, label: impl Into<String>, all: &[W]) -> Self {
        Self::new(name, label, options_of(all.iter().map(|word| (word.as_str(), word.label()))))
    }

    /// A day.
    pub fn date(name: &'static str, label: impl Into<String>) -> Self {
        Self { name, label: label.into(), options: Vec::new(), any: String::new(), rare: false }
    }

    /// Stands behind “More”, which is open while one of these is set.
    pub fn rare(self) -> Self {
        Self { rare: true, ..self }
    }

    fn label_of(&self, value: &str) -> String {
        self.options.iter().find(|(key, _)| key == value).map_or_else(|| value.to_owned(), |(_, label)| label.clone())
    }
}

/// Turns pairs of words into the options of a filter or select.
pub fn options_of<A: Into<String>, B: Into<String>>(pairs: impl IntoIterator<Item = (A, B)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(value, label)| (value.into(), label.into())).collect()
}

/// The filters of a list: a GET form whose state is the address. Set filters show as chips that remove themselves.
#[component]
pub fn FilterBar(
    /// The query key of the search words, if the list can be searched.
    #[prop(optional)]
    search: Option<&'static str>,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional)] filters: Vec<Filter>,
    /// Query keys that stay as they are, such as the sort order or a tab, besides those the shell keeps everywhere.
    #[prop(optional)]
    keep: Vec<&'static str>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let pathname = use_location().pathname;
    let mut keep = keep;
    keep.extend(use_context::<Kept>().unwrap_or_default().0);
    // What a control sends is not sent a second time: of two values the old one would win.
    keep.retain(|key| filters.iter().all(|filter| filter.name != *key));
    keep.sort_unstable();
    keep.dedup();
    let kept = keep.clone();
    let hidden = move || {
        kept.iter()
            .filter_map(|key| Some((*key, query(key)?)))
            .map(|(key, value)| view! { <input type="hidden" name=key value=value/> })
            .collect_view()
    };
    let clear = move || {
        let pairs: Vec<_> = keep.iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect();
        format!("{}{}", pathname.get(), query_string(&pairs))
    };
    let set = {
        let filters = filters.clone();
        Memo::new(move |_| {
            let mut set: Vec<(&'static str, String, String)> = filters
                .iter()
                .filter_map(|filter| {
                    query(filter.name).map(|value| (filter.name, filter.label.clone(), filter.label_of(&value)))
                })
                .collect();
            if let Some(words) = search.and_then(query) {
                set.insert(0, (search.unwrap_or_default(), "Search".to_owned(), words));
            }
            set
        })
    };
    let chips = move || {
        set.get()
            .into_iter()
            .map(|(name, label, value)| {
                view! {
                    <a class="chip set" href=move || with_query(&[(name, None)])>
                        <span class="sr">"Remove filter: "</span>{label}" "<b>{value}</b><Icon name="x" small=true/>
                    </a>
                }
            })
            .collect_view()
    };
    let search_field = search.map(|name| {
        let placeholder = if placeholder.is_empty() { "Search".to_owned() } else { placeholder };
        view! {
            <label class="search">
                <Icon name="search" small=true/>
                <span class="sr">{placeholder.clone()}</span>
                <input type="search" name=name value=move || query(name) placeholder=placeholder data-search="true"/>
            </label>
        }
    });
    let has_controls = search.is_some() || !filters.is_empty() || children.is_some();
    let (rare, usual): (Vec<Filter>, Vec<Filter>) = filters.into_iter().partition(|filter| filter.rare);
    let more = (!rare.is_empty()).then(|| {
        let names: Vec<&'static str> = rare.iter().map(|filter| filter.name).collect();
        view! {
            <details open=move || names.iter().any(|name| query(name).is_some())>
                <summary class="chip add"><Icon name="plus" small=true/>"More"</summary>
                <div class="row">{rare.into_iter().map(control).collect_view()}</div>
            </details>
        }
    });
    view! {
        <GetForm action=pathname class="chips" role="search" label="Filters">
            {search_field}
            {usual.into_iter().map(control).collect_view()}
            {more}
            {children.map(|children| children())}
            {hidden}
            {has_controls.then(|| view! { <button type="submit" class="btn">"Apply"</button> })}
            {chips}
            <Show when=move || !set.get().is_empty()><a class="link" href=clear.clone()>"Clear"</a></Show>
        </GetForm>
    }
}

fn control(filter: Filter) -> AnyView {
    let name = filter.name;
    let class = move || if query(name).is_some() { "chip set" } else { "chip" };
    if filter.options.is_empty() && filter.any.is_empty() {
        return view! {
            <label class="row"><span class="sub">{filter.label}</span><input type="date" class="chip" name=name value=move || query(name)/></label>
        }
        .into_any();
    }
    let options = filter
        .options
        .into_iter()
        .map(|(value, label)| {
            let own = value.clone();
            view! { <option value=value selected=move || query(name).as_deref() == Some(own.as_str())>{label}</option> }
        })
        .collect_view();
    view! {
        <select class=class name=name aria-label=filter.label>
            <option value="" selected=move || query(name).is_none()>{filter.any}</option>
            {options}
        </select>
    }
    .into_any()
}
