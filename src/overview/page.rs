//! The dashboard: figures, hours, who is on the line, what needs a person, batches, clients.

mod blocks;
mod figures;

use std::sync::Arc;

use leptos::prelude::*;

use super::model::Overview;
use super::server_fns::get_overview;
use blocks::{Batches, Clients, Live, Needs, StartList};
use figures::{Figures, Hours};
use patchbay_access::Action;
use patchbay_calls::model::CallQuery;
use patchbay_shell::viewer;
use patchbay_ui::*;

/// The first page after signing in. Client roles see it as their overview.
#[lazy]
pub fn overview_page() -> PageView {
    let overview = load(|| query("client"), get_overview);
    Arc::new(move || {
        live::on_change(&["dashboard", "calls", "batches"], move || overview.refetch());
        let title = if viewer().role.is_client() { "Overview" } else { "Dashboard" };
        view! {
            <PageTitle text=title/>
            <PageBoundary data=overview view=move |page: Overview| view! { <Dashboard page/> }/>
        }
        .into_any()
    })
}

#[component]
fn Dashboard(page: Overview) -> impl IntoView {
    let may_run = viewer().may(Action::RunBatches);
    let sub = format!("{} · times in {} · updated {}", page.scope_name, page.zone.replace('_', " "), page.updated);
    let listed = CallQuery { from: Some(page.day.clone()), client: page.client.clone(), ..CallQuery::default() };
    let (needs, clients) = (page.needs.clone(), page.clients.clone());
    view! {
        <PageHead
            title=page.title.clone()
            sub=sub
            actions=move || may_run.then(|| view! {
                <LinkButton href="/batches/new" kind=ButtonKind::Primary icon="plus">"New batch"</LinkButton>
            })
        />
        {(!page.start.is_empty()).then(|| view! { <StartList steps=page.start.clone()/> })}
        <Figures today=page.today yesterday=page.yesterday listed=listed.clone()/>
        <div class="cols main-side">
            <Hours hours=page.hours listed=listed.clone()/>
            <Live calls=page.live total=page.live_total client=page.client.clone()/>
        </div>
        {match needs {
            Some(needs) => view! {
                <div class="cols main-side">
                    <Needs needs lists=page.more_needs/>
                    <Batches batches=page.batches/>
                </div>
            }.into_any(),
            None => view! { <Batches batches=page.batches/> }.into_any(),
        }}
        {clients.map(|rows| view! { <Clients rows listed=listed.clone()/> })}
    }
}
