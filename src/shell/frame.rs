//! The frame around every signed-in page: sidebar, top bar, messages, keys. What the sidebar holds comes in as data.

use leptos::children::ViewFnOnce;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use patchbay_access::Viewer;
use patchbay_shared::Tone;
use patchbay_ui::address::{Kept, query, query_string};
use patchbay_ui::live::{LiveState, live_state, provide_live};
use patchbay_ui::mark_hydrated;
use patchbay_ui::menu::MenuList;
use patchbay_ui::page_frame::{InShell, Product};
use patchbay_ui::place::keep_place;
use patchbay_ui::preferences::AppearanceMenu;
use patchbay_ui::shortcuts::{GoTo, HelpButton, Shortcuts};
use patchbay_ui::toast::Toasts;
use patchbay_ui::{Avatar, Icon, MenuButton, MenuLink, StatusDot, forget_drafts_on_leaving};

/// Entries of the sidebar under one heading (none for the first).
#[derive(Debug, Clone, PartialEq)]
pub struct NavGroup {
    pub label: Option<String>,
    pub items: Vec<NavItem>,
}

/// One entry of the sidebar.
#[derive(Debug, Clone, PartialEq)]
pub struct NavItem {
    pub label: String,
    pub icon: &'static str,
    pub href: String,
    /// Only where work waits.
    pub count: Option<String>,
    /// The count is of things that happen right now.
    pub live: bool,
    /// Goes there after `g`.
    pub letter: Option<char>,
    /// Beginnings of further pages that it stands for, beside those below `href`.
    pub covers: &'static [&'static str],
}

impl NavItem {
    pub fn new(label: impl Into<String>, icon: &'static str, href: impl Into<String>) -> Self {
        Self { label: label.into(), icon, href: href.into(), count: None, live: false, letter: None, covers: &[] }
    }

    pub fn letter(self, letter: char) -> Self {
        Self { letter: Some(letter), ..self }
    }

    /// It is the current one on these pages too, and on those below them.
    pub fn covers(self, covers: &'static [&'static str]) -> Self {
        Self { covers, ..self }
    }

    /// Whether it stands for the page at `path`.
    fn is_current(&self, path: &str) -> bool {
        self.covers
            .iter()
            .copied()
            .chain([self.href.as_str()])
            .any(|start| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Shows `count` unless it is nothing.
    pub fn count(self, count: i64) -> Self {
        Self { count: (count > 0).then(|| count.to_string()), ..self }
    }

    /// Shows `7 live` unless it is nothing.
    pub fn live(self, count: i64) -> Self {
        Self { count: (count > 0).then(|| format!("{count} live")), live: true, ..self }
    }
}

/// The switch at the head of the sidebar: which part of the data is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeSwitch {
    /// What is chosen: `Client`.
    pub label: String,
    pub icon: &'static str,
    pub current: String,
    /// Text, address, whether it is the present one.
    pub options: Vec<(String, String, bool)>,
}

/// Signed-in pages. `children` is the page.
#[component]
pub fn Shell(
    viewer: Viewer,
    #[prop(into)] product: String,
    #[prop(into)] groups: Signal<Vec<NavGroup>>,
    #[prop(default = "/".to_owned(), into)] home: String,
    /// Address of the agency's logo, else the product's sign.
    #[prop(optional, into)]
    logo: Option<String>,
    #[prop(optional, into)] scope: Signal<Option<ScopeSwitch>>,
    /// Query keys that the links of the sidebar carry on.
    #[prop(optional)]
    keep: Vec<&'static str>,
    /// Lines over the page.
    #[prop(optional, into)]
    banner: Option<ViewFnOnce>,
    /// More buttons for the top bar.
    #[prop(optional, into)]
    top: Option<ViewFnOnce>,
    /// Entries of the person's menu: text, icon, address.
    #[prop(optional)]
    user_links: Vec<(&'static str, &'static str, &'static str)>,
    /// Where the form that signs out is posted to. It is a plain form: the page that follows has no script.
    #[prop(optional)]
    sign_out: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let pathname = use_location().pathname;
    let kept = Kept(keep);
    provide_context(Product(product.clone()));
    provide_context(InShell(StoredValue::new(pathname.get_untracked())));
    provide_context(kept.clone());
    provide_live();
    mark_hydrated();
    keep_place();
    let sidebar = Sidebar { viewer, product, groups, home, logo, scope, kept, user_links, sign_out };
    let narrow = NodeRef::<html::Dialog>::new();
    // A change of page closes the sidebar that was opened over it.
    Effect::new(move |before: Option<String>| {
        let path = pathname.get();
        if let (true, Some(dialog)) = (before.as_ref().is_some_and(|before| *before != path), narrow.get_untracked())
            && dialog.matches(":popover-open").unwrap_or(false)
        {
            let _ = dialog.hide_popover();
        }
        path
    });
    let go = Signal::derive(move || {
        let items = groups.get().into_iter().flat_map(|group| group.items);
        items
            .filter_map(|item| Some(GoTo { letter: item.letter?, label: item.label, href: item.href }))
            .collect::<Vec<_>>()
    });
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        {banner.map(ViewFnOnce::run)}
        <div class="app">
            <aside class="side">{sidebar.view("side")}</aside>
            <div>
                <header class="top">
                    <button type="button" class="btn ghost sq menu" popovertarget="sidebar" aria-label="Menu"><Icon name="menu"/></button>
                    <LiveRemark/>
                    <div class="row">{top.map(ViewFnOnce::run)}<AppearanceMenu/><HelpButton/></div>
                </header>
                <main class="main" id="main" tabindex="-1">{children()}</main>
            </div>
        </div>
        <dialog id="sidebar" popover="auto" class="sidebar-dialog" aria-label="Main menu" node_ref=narrow>
            <button type="button" class="btn ghost sq close" popovertarget="sidebar" popovertargetaction="hide" aria-label="Close menu">
                <Icon name="x"/>
            </button>
            {sidebar.view("sidebar")}
        </dialog>
        <Toasts/>
        <Shortcuts go/>
    }
}

/// Says that live changes do not arrive; silent while they do.
#[component]
fn LiveRemark() -> impl IntoView {
    let state = live_state();
    view! {
        <span class="grow right" role="status">
            {move || (state.get() == LiveState::Paused).then(|| view! {
                <span class="st warn text-xs"><StatusDot tone=Tone::Warn on=false/>"Live updates paused"</span>
            })}
        </span>
    }
}

/// The sidebar, written twice: beside the page, and as a sheet over it on narrow screens.
struct Sidebar {
    viewer: Viewer,
    product: String,
    groups: Signal<Vec<NavGroup>>,
    home: String,
    logo: Option<String>,
    scope: Signal<Option<ScopeSwitch>>,
    kept: Kept,
    user_links: Vec<(&'static str, &'static str, &'static str)>,
    sign_out: Option<&'static str>,
}

impl Sidebar {
    /// `place` makes the ids of the two different.
    fn view(&self, place: &'static str) -> AnyView {
        let scope = self.scope;
        let class = self.logo.is_some().then_some("wide");
        let logo = self.logo.clone().unwrap_or_else(|| "/favicon.svg".to_owned());
        view! {
            <a class="brand" href=self.home.clone()><img class=class src=logo alt=""/><b>{self.product.clone()}</b></a>
            {move || scope.get().map(|scope| scope_switch(scope, place))}
            {self.nav()}
            {self.person(place)}
        }
        .into_any()
    }

    fn nav(&self) -> AnyView {
        let (groups, keep) = (self.groups, StoredValue::new(self.kept.0.clone()));
        let entries = move || {
            groups
                .get()
                .into_iter()
                .map(|group| {
                    let items = group.items.into_iter().map(|item| nav_item(item, keep)).collect_view();
                    view! { <div>{group.label.map(|label| view! { <h2>{label}</h2> })}{items}</div> }
                })
                .collect_view()
        };
        view! { <nav class="nav" aria-label="Main">{entries}</nav> }.into_any()
    }

    fn person(&self, place: &'static str) -> AnyView {
        let place_name = self.viewer.workspace.as_ref().map(|workspace| workspace.name.as_str());
        let place_name = self.viewer.client.as_ref().map(|client| client.name.as_str()).or(place_name);
        let role = self.viewer.role.label();
        let detail = place_name.map_or_else(|| role.to_owned(), |name| format!("{name} · {role}"));
        let menu_id = format!("person-{place}");
        let links = self
            .user_links
            .iter()
            .copied()
            .map(|(text, icon, href)| view! { <MenuLink href icon>{text}</MenuLink> })
            .collect_view();
        let sign_out = self.sign_out.map(|url| view! {
            <form action=url method="post" class="plain" on:submit=|_| forget_drafts_on_leaving()><MenuButton icon="log-out" submit=true>"Sign out"</MenuButton></form>
        });
        let has_menu = !self.user_links.is_empty() || sign_out.is_some();
        view! {
            <div class="side-foot">
                <Avatar text=self.viewer.initials()/>
                <div class="who">{self.viewer.name.clone()}<small>{detail}</small></div>
                {has_menu.then(|| view! {
                    <button type="button" class="btn ghost sq sm" popovertarget=menu_id.clone() aria-haspopup="menu" aria-label="Your account">
                        <Icon name="ellipsis" small=true/>
                    </button>
                    <MenuList id=menu_id label="Your account" above=true>{links}{sign_out}</MenuList>
                })}
            </div>
        }
        .into_any()
    }
}

fn nav_item(item: NavItem, keep: StoredValue<Vec<&'static str>>) -> AnyView {
    let (path, entry) = (item.href.clone(), item.clone());
    let href = move || {
        let kept: Vec<(String, String)> =
            keep.with_value(|keep| keep.iter().filter_map(|key| Some(((*key).to_owned(), query(key)?))).collect());
        format!("{path}{}", query_string(&kept))
    };
    let pathname = use_location().pathname;
    let current = move || pathname.with(|here| entry.is_current(here)).then_some("page");
    let count_class = if item.live { "n live" } else { "n" };
    view! {
        <a href=href aria-current=current>
            <Icon name=item.icon/>
            <span>{item.label}</span>
            {item.count.map(|count| view! { <em class=count_class>{count}</em> })}
        </a>
    }
    .into_any()
}

fn scope_switch(scope: ScopeSwitch, place: &'static str) -> AnyView {
    let id = format!("scope-{place}");
    let options = scope
        .options
        .into_iter()
        .map(|(text, href, current)| view! { <MenuLink href current>{text}</MenuLink> })
        .collect_view();
    view! {
        <button type="button" class="scope" popovertarget=id.clone() aria-haspopup="menu">
            <Icon name=scope.icon/>
            <span class="t"><small>{scope.label.clone()}</small><b>{scope.current}</b></span>
            <Icon name="chevrons-up-down" small=true/>
        </button>
        <MenuList id label=scope.label>{options}</MenuList>
    }
    .into_any()
}
