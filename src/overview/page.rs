//! The dashboard: figures, hours or days, who is on the line, what needs a person, batches, clients.

mod blocks;
mod days;
mod figures;

use std::sync::Arc;

use leptos::prelude::*;

use super::model::Overview;
use super::server_fns::get_overview;
use blocks::{Batches, Clients, Live, Needs, StartList};
use days::{DaysChart, DaysFigures};
use figures::{Figures, Hours};
use patchbay_access::Action;
use patchbay_metering::model::Preset;
use patchbay_shell::viewer;
use patchbay_ui::*;
use patchbay_usage::page::{PERIODS, PeriodBar, asked};

/// The first page after signing in. Client roles see it as their overview.
#[lazy]
pub fn overview_page() -> PageView {
    let overview = load(|| (query("client"), asked()), |(client, asked)| get_overview(client, asked));
    Arc::new(move || {
        let busy = RwSignal::new(false);
        live::on_change(&["dashboard", "calls", "batches", "approvals", "execution"], move || {
            if !busy.get_untracked() {
                overview.refetch();
            }
        });
        let title = if viewer().role.is_client() { "Overview" } else { "Dashboard" };
        view! {
            <PageTitle text=title/>
            <PageBoundary data=overview view=move |page: Overview| view! { <Dashboard page busy/> }/>
        }
        .into_any()
    })
}

#[component]
fn Dashboard(page: Overview, busy: RwSignal<bool>) -> impl IntoView {
    let may_run = viewer().may(Action::RunBatches);
    let updated = page.shown.updated_text(&page.updated, &page.zone);
    let sub = format!("{} · {} · {updated}", page.scope_name, page.shown.zone_text());
    let (figures, chart, when, listed) = match page.of_days {
        None => {
            let listed = page.shown.listed(page.client.clone());
            // While it is two dates, what they are compared with is no single day either.
            let is_one = page.shown.days == 1;
            (
                view! { <Figures today=page.today yesterday=page.yesterday listed=listed.clone() is_one/> }.into_any(),
                view! { <Hours hours=page.hours listed=listed.clone()/> }.into_any(),
                "Today".to_owned(),
                listed,
            )
        }
        Some(of_days) => {
            let (shown, client, days) = (page.shown.clone(), page.client.clone(), of_days.days.clone());
            let there = shown.listed(client.clone());
            let when = shown.text.clone();
            (
                view! { <DaysFigures page=of_days shown=shown.clone() client=client.clone()/> }.into_any(),
                view! { <DaysChart days shown client/> }.into_any(),
                when,
                there,
            )
        }
    };
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
        <PeriodBar shown=page.shown.clone() presets=PERIODS default=Preset::Today busy/>
        {figures}
        <div class="cols main-side">
            {chart}
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
        {clients.map(|rows| view! { <Clients rows listed when/> })}
    }
}
