//! Shell and router: one `<Route>` per page, nothing else.

mod frame;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::agents::page::{AgentDetailPage, AgentEditPage, AgentsPage, NewAgentPage};
use crate::audit::page::AuditPage;
use crate::batches::page::{BatchPage, BatchesPage, NewBatchPage};
use crate::calls::page::{CallPage, CallsPage};
use crate::campaigns::page::{CampaignPage, CampaignsPage, NewCampaignPage};
use crate::clients::page::{ClientPage, ClientsPage, NewClientPage};
use crate::connections::page::{ConnectionDetailPage, ConnectionsPage};
use crate::contacts::page::{
    ContactPage, ContactsPage, ImportMappingPage, ImportPage, ImportsPage, NewContactPage, NewImportPage,
    SuppressedPage,
};
use crate::inbound_webhooks::page::{InboundWebhookPage, InboundWebhooksPage};
use crate::members::page::{MembersPage, NewMemberPage};
use crate::numbers::page::{NewNumberPage, NumberDetailPage, NumbersPage};
use crate::overview::page::OverviewPage;
use crate::platform::page::{NewWorkspacePage, PlatformPage};
use crate::prompts::page::{NewPromptPage, PromptEditorPage, PromptsPage};
use crate::settings::ProfilePage;
use crate::shared::AppError;
use crate::sign_in::page::SignInPage;
use crate::ui::Trouble;
use crate::usage::page::UsagePage;

pub use frame::{client_options, refused, viewer};

/// The whole product in the browser and on the server.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=|| view! { <Trouble page=true error=AppError::NotFound/> }>
                <Route path=path!("/login") view=SignInPage ssr=SsrMode::Async/>
                <Signed/>
            </Routes>
        </Router>
    }
}

/// Pages for people who have signed in.
#[component(transparent)]
fn Signed() -> impl MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=frame::Frame ssr=SsrMode::Async>
            <Route path=path!("/dashboard") view={Lazy::<OverviewPage>::new()} ssr=SsrMode::Async/>
            <Operate/>
            <Build/>
            <Manage/>
            <Route path=path!("/dev/ui") view=Gallery ssr=SsrMode::Async/>
        </ParentRoute>
    }
    .into_inner()
}

#[component(transparent)]
fn Operate() -> impl MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/calls") view={Lazy::<CallsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/calls/:id") view={Lazy::<CallPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/batches") view={Lazy::<BatchesPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/batches/new") view={Lazy::<NewBatchPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/batches/:id") view={Lazy::<BatchPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns") view={Lazy::<CampaignsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns/new") view={Lazy::<NewCampaignPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/campaigns/:id") view={Lazy::<CampaignPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts") view={Lazy::<ContactsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/new") view={Lazy::<NewContactPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/suppressed") view={Lazy::<SuppressedPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports") view={Lazy::<ImportsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/new") view={Lazy::<NewImportPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/:id/mapping") view={Lazy::<ImportMappingPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/imports/:id") view={Lazy::<ImportPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/contacts/:id") view={Lazy::<ContactPage>::new()} ssr=SsrMode::Async/>
        </ParentRoute>
    }
    .into_inner()
}

#[component(transparent)]
fn Build() -> impl MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/agents") view={Lazy::<AgentsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/agents/new") view={Lazy::<NewAgentPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id") view={Lazy::<AgentDetailPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/agents/:id/edit") view={Lazy::<AgentEditPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/prompts") view={Lazy::<PromptsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/new") view={Lazy::<NewPromptPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/prompts/:id") view={Lazy::<PromptEditorPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/numbers") view={Lazy::<NumbersPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/numbers/new") view={Lazy::<NewNumberPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/numbers/:id") view={Lazy::<NumberDetailPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/connections") view={Lazy::<ConnectionsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/connections/:provider") view={Lazy::<ConnectionDetailPage>::new()} ssr=SsrMode::Async/>
        </ParentRoute>
    }
    .into_inner()
}

#[component(transparent)]
fn Manage() -> impl MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/clients") view={Lazy::<ClientsPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/clients/new") view={Lazy::<NewClientPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/clients/:id") view={Lazy::<ClientPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/usage") view={Lazy::<UsagePage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/settings/profile") view={Lazy::<ProfilePage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users") view={Lazy::<MembersPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/settings/users/new") view={Lazy::<NewMemberPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/settings/audit") view={Lazy::<AuditPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/webhooks/inbound") view={Lazy::<InboundWebhooksPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/webhooks/inbound/:id") view={Lazy::<InboundWebhookPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/platform") view={Lazy::<PlatformPage>::new()} ssr=SsrMode::Async/>
            <Route path=path!("/platform/new") view={Lazy::<NewWorkspacePage>::new()} ssr=SsrMode::Async/>
        </ParentRoute>
    }
    .into_inner()
}

/// The component gallery, in debug builds.
#[component]
fn Gallery() -> impl IntoView {
    if cfg!(debug_assertions) {
        view! { <crate::ui::gallery::Gallery/> }.into_any()
    } else {
        view! { <Trouble page=true error=AppError::NotFound/> }.into_any()
    }
}
