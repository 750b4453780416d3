//! The frame around signed-in pages: who is looking, which client, where to go.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::task::spawn_local;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use patchbay_access::ClientName;
use patchbay_access::viewer::SupportView;
use patchbay_access::{Action, Role, Viewer};
use patchbay_brand::model::PRODUCT;
use patchbay_clients::server_fns::client_names;
use patchbay_overview::model::SidebarCounts;
use patchbay_overview::server_fns::count_sidebar;
use patchbay_platform::server_fns::EndSupportSession;
use patchbay_shared::AppError;
use patchbay_shell::Shell;
use patchbay_shell::frame::{NavGroup, NavItem, ScopeSwitch};
use patchbay_sign_in::page::SignInCard;
use patchbay_sign_in::server_fns::{SignOut, who_am_i};
use patchbay_ui::*;

/// Asks once who is looking, then shows sidebar, top bar and the page.
#[component]
pub fn Frame() -> impl IntoView {
    framed(|| view! { <Outlet/> }.into_any(), || view! { <SignedOut/> }.into_any())
}

/// What stands at an address that is no page's: a heading and what to think of it.
const NOTHING: (&str, &str) = ("This page does not exist", "The address may be mistyped, or what it was for is gone.");

/// An address that is no page's: in the frame for whoever is signed in.
#[component]
pub fn NothingHere() -> impl IntoView {
    let inside = || {
        view! {
            <PageTitle text=NOTHING.0/>
            <div class="trouble">
                <Icon name="circle-alert" size="l"/>
                <div>
                    <h1>{NOTHING.0}</h1>
                    <p>{NOTHING.1}</p>
                    <p class="row"><a class="btn" href="/" rel="external">"Go to the start page"</a></p>
                </div>
            </div>
        }
        .into_any()
    };
    let outside = || {
        view! {
            <SignInCard title=NOTHING.0 sub=NOTHING.1>
                <div class="body form"><a class="btn pri block" rel="external" href="/login">"Sign in"</a></div>
            </SignInCard>
        }
        .into_any()
    };
    framed(inside, outside)
}

/// `inside` the frame for whoever is signed in, `outside` for everybody else.
fn framed(inside: fn() -> AnyView, outside: fn() -> AnyView) -> impl IntoView {
    let asked = load(|| (), |()| who_looks());
    // The server may build what is inside several times: nothing in there asks for data (`ui::load`).
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match asked.ready().await {
                    Ok((viewer, names, counts)) => view! { <Signed viewer names counts inside/> }.into_any(),
                    Err(AppError::NotSignedIn) => outside(),
                    Err(error) => view! { <Trouble page=true error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

async fn who_looks() -> Result<(Viewer, Vec<ClientName>, SidebarCounts), AppError> {
    let viewer = who_am_i().await?;
    if viewer.workspace.is_none() || viewer.owes_second_factor {
        return Ok((viewer, Vec::new(), SidebarCounts::default()));
    }
    let names = client_names().await?;
    let counts = count_sidebar().await?;
    Ok((viewer, names, counts))
}

#[component]
fn Signed(viewer: Viewer, names: Vec<ClientName>, counts: SidebarCounts, inside: fn() -> AnyView) -> impl IntoView {
    provide_context(viewer.clone());
    provide_context(StoredValue::new(names.clone()));
    let counts = RwSignal::new(counts);
    if viewer.workspace.is_some() && !viewer.owes_second_factor {
        live::on_change(&["calls", "batches", "approvals"], move || {
            spawn_local(async move {
                if let Ok(now) = count_sidebar().await {
                    counts.set(now);
                }
            });
        });
    }
    let product = viewer.workspace.as_ref().map_or_else(|| PRODUCT.to_owned(), |home| home.product.clone());
    let logo = viewer.workspace.as_ref().and_then(|home| home.logo.clone());
    let home = if viewer.role == Role::Admin { "/platform" } else { "/dashboard" };
    let groups = {
        let viewer = viewer.clone();
        Signal::derive(move || groups(&viewer, counts.get()))
    };
    let scope = {
        let viewer = viewer.clone();
        Signal::derive(move || client_switch(&viewer, &names))
    };
    let (banner_of, owes) = (viewer.clone(), viewer.owes_second_factor);
    view! {
        <Shell
            viewer=viewer
            product=product
            nostrip:logo=logo
            groups=groups
            home=home
            scope=scope
            keep=vec!["client"]
            user_links=vec![("Your profile", "user", "/settings/profile")]
            sign_out=SignOut::url()
            banner=move || view! { <Notice viewer=banner_of/> }
        >
            {match owes {
                true => view! { <SetUpFirst/> }.into_any(),
                false => inside(),
            }}
        </Shell>
    }
}

/// In place of every page but the one where the second factor is set up.
#[component]
fn SetUpFirst() -> impl IntoView {
    let path = use_location().pathname;
    move || {
        if path.with(|path| path == "/settings/security") {
            return view! { <Outlet/> }.into_any();
        }
        view! {
            <PageTitle text="Second factor needed"/>
            <section class="card">
                <EmptyState icon="key-round" title="Set up a second factor first" text="Your role asks for more than a password here: a code from an app on your phone, or a passkey. It takes a minute; then you can continue.">
                    <LinkButton href="/settings/security" kind=ButtonKind::Primary>"Set it up"</LinkButton>
                </EmptyState>
            </section>
        }
        .into_any()
    }
}

/// The thin line over every page: who of the platform is looking, or that the workspace is suspended, or that nothing real is called.
#[component]
fn Notice(viewer: Viewer) -> impl IntoView {
    if let Some(support) = viewer.support {
        return Some(
            view! { <SupportNotice support agency=viewer.workspace.map(|home| home.name).unwrap_or_default()/> }
                .into_any(),
        );
    }
    let home = viewer.workspace?;
    if let Some(SupportView { admin, reason, until, .. }) = home.watched_by {
        return Some(view! { <Banner kind="info">{format!("{admin} of the platform's support is looking at this workspace until {until}: {reason}")}</Banner> }.into_any());
    }
    let may_connect = patchbay_access::allows(viewer.role, Action::ManageConnections);
    Some(if home.suspended {
        view! { <Banner kind="warn">"This workspace is suspended. You can read everything; nothing dials, syncs or spends. What was under way goes on when it is reactivated."</Banner> }.into_any()
    } else if home.sandbox {
        view! {
            <Banner kind="sandbox">
                "Sandbox: no real calls or models."
                {may_connect.then(|| view! { " "<a class="link" href="/integrations">"Connect real accounts"</a> })}
            </Banner>
        }
        .into_any()
    } else {
        return None;
    })
}

#[component]
fn SupportNotice(support: SupportView, agency: String) -> impl IntoView {
    view! {
        <Banner kind="warn">
            {format!("Support session: you read {agency} as a member until {}. Its people see this. ", support.until)}
            // Plain: what follows is another person's frame.
            <form method="post" action=EndSupportSession::url()><button type="submit">"End session"</button></form>
        </Banner>
    }
}

/// The session has ended while a page was open.
#[component]
fn SignedOut() -> impl IntoView {
    Effect::new(|_| {
        let _ = window().location().set_href("/login");
    });
    view! { <main class="signed-out" id="main"><p>"You are signed out. "<a class="link" href="/login" rel="external">"Sign in"</a></p></main> }
}

fn groups(viewer: &Viewer, counts: SidebarCounts) -> Vec<NavGroup> {
    let group = |label: Option<&str>, items: Vec<NavItem>| NavGroup { label: label.map(str::to_owned), items };
    if viewer.role == Role::Admin {
        return vec![group(None, vec![NavItem::new("Workspaces", "building-2", "/platform").letter('w')])];
    }
    let calls = NavItem::new("Calls", "phone-call", "/calls").letter('c').live(counts.live_calls);
    let batches = NavItem::new("Batches", "list-checks", "/batches").letter('b').count(counts.running_batches);
    let campaigns = NavItem::new("Campaigns", "megaphone", "/campaigns").letter('m');
    let contacts = NavItem::new("Contacts", "contact", "/contacts").letter('k');
    let messages = NavItem::new("Messages", "message-square", "/messages");
    let call_backs = NavItem::new("Call-backs", "phone-forwarded", "/call-backs");
    let usage = NavItem::new("Usage", "receipt-text", "/usage").letter('u');
    let settings = NavItem::new("Settings", "settings", "/settings/profile").letter('s').covers(&[
        "/settings",
        "/queues",
        "/webhooks/inbound",
    ]);
    if viewer.role.is_client() {
        let overview = NavItem::new("Overview", "layout-dashboard", "/dashboard").letter('d');
        let mut items = vec![overview, calls, batches, call_backs, campaigns, contacts, messages];
        if viewer.may(Action::ReadAgents) {
            items.push(NavItem::new("Agents", "bot", "/agents").letter('a'));
        }
        if viewer.may(Action::ReadIntegrations) {
            items.push(NavItem::new("Integrations", "plug", "/integrations"));
        }
        // What nobody shows them is not there for them.
        if counts.has_approvals {
            items.push(NavItem::new("Approvals", "shield-check", "/approvals").count(counts.approvals));
        }
        items.extend(viewer.sees_cost().then_some(usage));
        items.push(settings);
        return vec![group(None, items)];
    }
    vec![
        group(None, vec![NavItem::new("Dashboard", "layout-dashboard", "/dashboard").letter('d')]),
        group(Some("Operate"), vec![calls, batches, call_backs, campaigns, contacts, messages]),
        group(
            Some("Build"),
            vec![
                NavItem::new("Agents", "bot", "/agents").letter('a'),
                NavItem::new("Teams", "users-round", "/teams").count(counts.approvals).covers(&[
                    "/execution",
                    "/jobs",
                    "/approvals",
                    "/supervisor-runs",
                ]),
                NavItem::new("Prompts", "file-text", "/prompts").letter('p'),
                NavItem::new("Skills", "wand-sparkles", "/skills"),
                NavItem::new("Knowledge", "book-open", "/knowledge"),
                NavItem::new("Runs", "activity", "/runs"),
            ],
        ),
        group(
            Some("Connect"),
            vec![
                NavItem::new("Phone numbers", "phone", "/numbers").letter('n'),
                NavItem::new("Integrations", "plug", "/integrations").covers(&["/connections"]),
            ],
        ),
        group(Some("Manage"), vec![NavItem::new("Clients", "building-2", "/clients").letter('l'), usage, settings]),
    ]
}

/// Narrows every list to one client. A client's own people see whose pages these are, without a choice.
fn client_switch(viewer: &Viewer, names: &[ClientName]) -> Option<ScopeSwitch> {
    viewer.workspace.as_ref()?;
    let chosen = query("client");
    let mut options = Vec::new();
    let current = match &viewer.client {
        Some(own) => own.name.clone(),
        None => {
            options.push(("All clients".to_owned(), with_query(&[("client", None)]), chosen.is_none()));
            options.extend(names.iter().map(|row| {
                let id = row.id.to_string();
                (row.name.clone(), with_query(&[("client", Some(&id))]), chosen.as_deref() == Some(&id))
            }));
            names
                .iter()
                .find(|row| Some(row.id.to_string()) == chosen)
                .map_or_else(|| "All clients".to_owned(), |row| row.name.clone())
        }
    };
    Some(ScopeSwitch { label: "Client".into(), icon: "building-2", current, options })
}
