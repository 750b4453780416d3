//! What every page starts with: title and breadcrumb, the row of its name and actions, tabs.

use leptos::children::ViewFnOnce;
use leptos::html::H1;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use super::Icon;

/// What the product is called here. The shell provides it.
#[derive(Debug, Clone)]
pub struct Product(pub String);

/// Present inside the shell: there is a top bar for the breadcrumb, and a change of page moves the focus to its heading.
/// Holds the path whose heading had its turn.
#[derive(Clone, Copy)]
pub struct InShell(pub StoredValue<String>);

/// A page above this one.
#[derive(Debug, Clone)]
pub struct Crumb {
    pub text: String,
    pub href: String,
}

pub fn crumb(text: impl Into<String>, href: impl Into<String>) -> Crumb {
    Crumb { text: text.into(), href: href.into() }
}

/// The document's title and the breadcrumb. The breadcrumb stands in the page and is placed over the top bar by the style sheet,
/// so that the server's first HTML already has it: the bar itself is written before the page's data is there.
#[component]
pub fn PageTitle(#[prop(into)] text: String, #[prop(optional)] parents: Vec<Crumb>) -> impl IntoView {
    let product = use_context::<Product>().map_or_else(|| "Patchbay".to_owned(), |product| product.0);
    let title = format!("{text} · {product}");
    let crumbs = use_context::<InShell>().is_some().then(|| {
        let parents = parents
            .into_iter()
            .map(|parent| view! { <li><a href=parent.href>{parent.text}</a><Icon name="chevron-right" small=true/></li> })
            .collect_view();
        view! {
            <nav class="crumbs bar" aria-label="Breadcrumb">
                <ol>{parents}<li><b aria-current="page">{text}</b></li></ol>
            </nav>
        }
    });
    view! { <Title text=title/>{crumbs} }
}

/// The page's heading with tags beside it, a line below it, and its actions on the right.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] sub: Option<String>,
    #[prop(optional, into)] sub_view: Option<ViewFnOnce>,
    #[prop(optional, into)] tags: Option<ViewFnOnce>,
    #[prop(optional, into)] actions: Option<ViewFnOnce>,
) -> impl IntoView {
    let heading = NodeRef::<H1>::new();
    focus_after_navigation(heading);
    view! {
        <div class="head">
            <div class="ttl">
                <div class="row"><h1 node_ref=heading tabindex="-1">{title}</h1>{tags.map(ViewFnOnce::run)}</div>
                {sub.map(|sub| view! { <p class="sub">{sub}</p> })}
                {sub_view.map(|sub| view! { <div class="sub">{sub.run()}</div> })}
            </div>
            {actions.map(|actions| view! { <div class="acts">{actions.run()}</div> })}
        </div>
    }
}

/// After a change of page the focus goes to the new heading, once: a refreshed page must not take it away again.
fn focus_after_navigation(heading: NodeRef<H1>) {
    let Some(InShell(focused)) = use_context::<InShell>() else { return };
    let pathname = use_location().pathname;
    Effect::new(move |_| {
        let Some(element) = heading.get() else { return };
        let path = pathname.get_untracked();
        if focused.get_value() != path {
            focused.set_value(path);
            let _ = element.focus();
        }
    });
}

/// One tab: a link.
#[derive(Debug, Clone)]
pub struct TabItem {
    pub label: String,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

pub fn tab(label: impl Into<String>, href: impl Into<String>, current: bool) -> TabItem {
    TabItem { label: label.into(), href: href.into(), current, count: None }
}

impl TabItem {
    /// A number behind the label.
    pub fn count(self, count: impl std::fmt::Display) -> Self {
        Self { count: Some(count.to_string()), ..self }
    }
}

/// Tabs that change the address: links, with the present one marked.
#[component]
pub fn Tabs(
    #[prop(into)] label: String,
    #[prop(into)] items: Signal<Vec<TabItem>>,
    /// Stands in the head of a card.
    #[prop(optional)]
    in_card: bool,
) -> impl IntoView {
    let links = move || {
        items
            .get()
            .into_iter()
            .map(|item| {
                view! {
                    <a href=item.href aria-current=item.current.then_some("page")>
                        {item.label}
                        {item.count.map(|count| view! { " " <span class="n">{count}</span> })}
                    </a>
                }
            })
            .collect_view()
    };
    view! { <nav class=if in_card { "tabs in-card" } else { "tabs" } aria-label=label>{links}</nav> }
}
