use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{BatchMode, Readiness};
use crate::server_fns::{CreateBatch, batch_campaigns, batch_readiness};
use patchbay_shared::money::{count_text, counted};
use patchbay_ui::*;

type Choices = Vec<(String, String)>;

/// The form for a new batch: which campaign, what stands in the way, when and on how many lines.
#[lazy]
pub fn new_batch_page() -> PageView {
    let campaigns = load(|| (), |()| batch_campaigns());
    let readiness = load(|| query("campaign"), batch_readiness);
    Arc::new(move || {
        view! {
            <PageTitle text="New batch" parents=vec![crumb("Batches", "/batches")]/>
            <PageHead title="New batch" sub="Calls the contacts of a campaign that are waiting."/>
            <PageBoundary data=campaigns view=|campaigns: Choices| view! { <Choose campaigns/> }/>
            <PageBoundary data=readiness view={|found: Option<Readiness>| found.map(|readiness| view! { <Start readiness/> })}/>
        }
        .into_any()
    })
}

/// The campaign is chosen by address, so that the check list can be shown before anything is started.
#[component]
fn Choose(campaigns: Choices) -> impl IntoView {
    if campaigns.is_empty() {
        return view! {
            <section class="card">
                <EmptyState icon="megaphone" title="No active campaign" text="A batch calls the contacts of an active campaign. Create one, or set one to active.">
                    <LinkButton href="/campaigns" kind=ButtonKind::Primary>"Campaigns"</LinkButton>
                </EmptyState>
            </section>
        }
        .into_any();
    }
    let chosen = query("campaign").unwrap_or_default();
    view! {
        <Card>
            <GetForm action="/batches/new" class="form">
                <div class="field">
                    <label for="campaign">"Campaign"</label>
                    <div class="input-row">
                        <select id="campaign" name="campaign" required>
                            <option value="">"Choose a campaign"</option>
                            {campaigns.into_iter().map(|(id, name)| {
                                let selected = id == chosen;
                                view! { <option value=id selected=selected>{name}</option> }
                            }).collect_view()}
                        </select>
                        <button class="btn" type="submit">"Check"</button>
                    </div>
                </div>
            </GetForm>
        </Card>
    }
    .into_any()
}

#[component]
fn Start(readiness: Readiness) -> impl IntoView {
    let create = FormAction::of::<CreateBatch>();
    let ready = readiness.checks.iter().all(|(holds, _)| *holds) && readiness.to_dial > 0;
    let checks = readiness
        .checks
        .iter()
        .cloned()
        .chain(std::iter::once(contacts(&readiness)))
        .map(|(holds, text)| {
            let (class, icon) = if holds { ("done", "circle-check") } else { ("bad", "circle-alert") };
            view! { <li class=class><Icon name=icon/><span>{text}</span></li> }
        })
        .collect_view();
    let warnings = readiness
        .warnings
        .iter()
        .cloned()
        .map(|text| view! { <li class="warn"><Icon name="triangle-alert"/><span>{text}</span></li> })
        .collect_view();
    let modes = BatchMode::ALL
        .iter()
        .map(|mode| {
            RadioOption::new(
                mode.as_str(),
                mode.label(),
                match (mode, readiness.hours.all_closed()) {
                    (BatchMode::Immediate, true) => "Calls start when the calling hours open.",
                    (BatchMode::Immediate, false) => "Calls start within a second.",
                    (BatchMode::Scheduled, _) => "Calls start at the time below, within the calling hours.",
                },
            )
        })
        .collect::<Vec<_>>();
    let estimate = readiness.estimate.map(|money| {
        format!("About {} for the voice service, from the length of this campaign's last calls.", money.text())
    });
    view! {
        <div class="cols two">
            <Card title="Before you start">
                <ul class="checklist">{checks}{warnings}</ul>
                {estimate.map(|text| view! { <p class="note"><Icon name="receipt-text" small=true/>{text}</p> })}
            </Card>
            <Card title=format!("{} · {}", readiness.campaign, readiness.client)>
                <ServerForm action=create class="form">
                    <input type="hidden" name="campaign" value=readiness.campaign_id.to_string()/>
                    <TextInput name="name" label="Name" value=format!("{}, next batch", readiness.campaign) required=true maxlength=120/>
                    <RadioCards name="mode" legend="When" options=modes value="immediate"/>
                    <DateTimeInput name="scheduled_for" label="Start" hint=format!("Only if you set a time. In {}.", readiness.timezone.replace('_', " "))/>
                    <TextInput name="concurrency" label="Lines" kind="number" value="5" min="1" max="200" class="short" required=true hint="How many calls at the same time."/>
                    <TextInput name="limit" label="Limit" kind="number" min="1" class="short" suffix_text="contacts" hint="Leave empty to call everyone who is waiting."/>
                    <FormActs>
                        <Button kind=ButtonKind::Primary icon="play" submit=true disabled=Signal::derive(move || !ready)>"Start the batch"</Button>
                        <a class="btn ghost" href="/batches">"Cancel"</a>
                    </FormActs>
                </ServerForm>
            </Card>
        </div>
    }
}

fn contacts(readiness: &Readiness) -> (bool, String) {
    let is_or_are = |count: i64| format!("{} {}", count_text(count), if count == 1 { "is" } else { "are" });
    let mut text = match readiness.to_dial {
        0 => "Nobody to call now.".to_owned(),
        many => format!("{} to call.", counted(many, "contact", "contacts")),
    };
    if readiness.suppressed > 0 {
        text += &format!(" {} left out: on the do-not-call list.", is_or_are(readiness.suppressed));
    }
    if readiness.later > 0 {
        text += &format!(" {} due later.", is_or_are(readiness.later));
    }
    (readiness.to_dial > 0, text)
}
