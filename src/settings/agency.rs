use std::sync::Arc;

use leptos::prelude::*;

use super::model::{AUDIT_DAYS, AgencyView};
use super::server_fns::{SaveAgency, get_agency};
use patchbay_access::{Action, SecondFactorRule};
use patchbay_shared::zones::zone_options;
use patchbay_shell::viewer;
use patchbay_shell::{ProofField, SettingsNav};
use patchbay_ui::*;
use patchbay_workspaces::model::Held;

/// The agency's name, its rules, and what its plan gives.
#[lazy]
pub fn agency_page() -> PageView {
    let agency = load(|| (), |()| get_agency());
    Arc::new(move || {
        let again = Callback::new(move |()| agency.refetch());
        view! {
            <PageTitle text="Agency" parents=vec![crumb("Settings", "/settings/profile")]/>
            <PageHead title="Agency"/>
            <div class="cols settings">
                <SettingsNav current="/settings/agency"/>
                <PageBoundary data=agency view={move |agency: AgencyView| view! { <Shown agency again/> }}/>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Shown(agency: AgencyView, again: Callback<()>) -> impl IntoView {
    let may_change = viewer().may(Action::ManageWorkspace);
    let (plan, held) = (agency.plan, agency.held);
    view! {
        <div class="stack gap-4">
            {if may_change { view! { <Form agency again/> }.into_any() } else { view! { <RulesRead agency/> }.into_any() }}
            <Card title=format!("Plan: {}", plan.label())><HeldBars held/></Card>
        </div>
    }
}

/// What is held of what is granted, a bar each.
#[component]
pub fn HeldBars(held: Held) -> impl IntoView {
    let rows = held
        .rows()
        .into_iter()
        .map(|(name, used, limit)| match limit {
            Some(limit) => view! {
                <li><Progress value=used as f64 max=limit as f64 label=format!("{name}: {used} of {limit}")/></li>
            }
            .into_any(),
            None => {
                view! { <li><span class="sub text-xs">{format!("{name}: {used}, as many as you want")}</span></li> }
                    .into_any()
            }
        })
        .collect_view();
    view! { <ul class="stack gap-2">{rows}</ul> }
}

#[component]
fn RulesRead(agency: AgencyView) -> impl IntoView {
    let kept = agency.rules.audit_days.map(|days| days.to_string()).unwrap_or_default();
    let kept = AUDIT_DAYS.iter().find(|(days, _)| *days == kept).map_or(kept.clone(), |(_, label)| (*label).to_owned());
    view! {
        <Card title="Settings">
            <Facts>
                <Fact label="Name">{agency.name}</Fact>
                <Fact label="Time zone">{agency.timezone.replace('_', " ")}</Fact>
                <Fact label="Second factor">{agency.rules.second_factor.label()}</Fact>
                <Fact label="Audit log is kept">{kept}</Fact>
                <Fact label="Calls at once">{agency.rules.concurrency.map_or_else(|| "As in the plan".to_owned(), |calls| calls.to_string())}</Fact>
            </Facts>
            <p class="sub">"An owner can change these."</p>
        </Card>
    }
}

#[component]
fn Form(agency: AgencyView, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveAgency>();
    let rules = agency.rules;
    let zone = agency.timezone.clone();
    let whom = options_of(SecondFactorRule::ALL.iter().map(|rule| (rule.as_str(), rule.label())));
    let days = options_of(AUDIT_DAYS);
    view! {
        <Card title="Settings">
            <ServerForm action=save class="form two" on_done=again said="Saved">
                <TextInput name="name" label="Name" value=agency.name required=true maxlength=120/>
                <Select name="timezone" label="Time zone" options=zone_options(&zone) value=zone.clone() required=true hint="For people and clients without their own time zone."/>
                <Select name="second_factor" label="Who needs a second factor" options=whom value=rules.second_factor.as_str() required=true hint="People it applies to set one up on the next page they open. API keys keep working."/>
                <Select name="audit_days" label="Keep the audit log" options=days value=rules.audit_days.map(|days| days.to_string()).unwrap_or_default() mark=false hint="Older events are deleted for good, and the deletion is recorded."/>
                <TextInput name="concurrency" label="Calls at once" value=rules.concurrency.map(|calls| calls.to_string()).unwrap_or_default() inputmode="numeric" class="short" hint=format!("Batches dial up to so many calls, with those that come in. Less than the plan’s {} keeps lines free for callers; empty means all of them.", agency.held.granted.lines)/>
                <ProofField/>
                <FormActs><SubmitButton>"Save"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
}
