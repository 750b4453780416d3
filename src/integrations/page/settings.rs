use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::Top;
use super::settings_messages::{CustomSettingsCards, TriedCard};
use super::settings_notices::NoticesCard;
use super::slack::SlackSettingsCards;
use crate::model::{CrmSettings, IntegrationHead, PACES, SettingsPage, SyncType};
use crate::server_fns::{SaveIntegrationSettings, get_integration_settings};
use patchbay_access::Action;
use patchbay_contacts::model::countries;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Settings of an integration: its name, and what its type has.
#[lazy]
pub fn integration_settings_page() -> PageView {
    let params = use_params_map();
    let asked = move || (params.read().get("id").unwrap_or_default(), query("tried"));
    let page = load(asked, |(id, tried)| get_integration_settings(id, tried));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageIntegrations) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: SettingsPage| view! { <Settings page again/> }/> }.into_any()
    })
}

#[component]
fn Settings(page: SettingsPage, again: Callback<()>) -> impl IntoView {
    let SettingsPage { head, crm, slack, custom, notices, tried } = page;
    let body = match (slack, custom) {
        (Some(slack), _) => view! { <SlackSettingsCards head=head.clone() slack again/> }.into_any(),
        (_, Some(custom)) => view! { <CustomSettingsCards head=head.clone() custom again/> }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <Top head=head.clone() tab_of="settings" title="Settings" again/>
        {tried.map(|tried| view! { <TriedCard tried/> })}
        {body}
        <Card title=if head.kind.is_crm() { "What is exchanged" } else { "Name" }><SettingsForm head crm is_setup=false/></Card>
        {notices.map(|notices| view! { <NoticesCard notices/> })}
    }
}

#[component]
fn SettingsForm(head: IntegrationHead, crm: CrmSettings, is_setup: bool) -> impl IntoView {
    let save = FormAction::of::<SaveIntegrationSettings>();
    let service = head.kind.label();
    let of_crm = head.kind.is_crm().then(|| {
        let options = SyncType::ALL
            .iter()
            .copied()
            .map(|kind| {
                let hint = match kind {
                    SyncType::Contacts => {
                        format!("People of {service} become contacts of this client, and stay in step.")
                    }
                    SyncType::Deals => "Shown with their contact. They are read, never changed.".to_owned(),
                    SyncType::Activities => format!(
                        "Notes, calls, tasks and meetings of {service} stand with their contact. What became of a call is written there, with a link to it."
                    ),
                };
                RadioOption::new(kind.as_str(), kind.label(), hint)
            })
            .collect();
        let chosen = crm.types.iter().map(|kind| kind.as_str().to_owned()).collect();
        view! {
            <Boxes name="types" legend="What" options chosen/>
            <Select
                name="every"
                label="How often"
                options=options_of(PACES.map(|(minutes, words)| (minutes.to_string(), words)))
                value=crm.every_minutes.to_string()
                mark=false
            />
            <Select
                name="country"
                label="Country of numbers without one"
                options=options_of(countries::COUNTRIES)
                value=crm.country.clone()
                prompt="None: such numbers fail"
                hint=format!("Many people write numbers into {service} without +41 or the like.")
                mark=false
            />
        }
    });
    let word = if is_setup { "Save and go on" } else { "Save" };
    view! {
        <ServerForm action=save class="form" prefix="settings" said="Saved">
            <input type="hidden" name="id" value=head.id.to_string()/>
            {is_setup.then(|| view! { <input type="hidden" name="next" value="setup"/> })}
            <TextInput name="name" label="Name" value=head.name.clone() maxlength=60 mark=false autocomplete="off" hint=format!("Tells several apart. Empty: {service}.")/>
            {of_crm}
            <FormActs><SubmitButton icon="check">{word}</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// What is exchanged, right after the first sign-in.
#[lazy]
pub fn integration_setup_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), |id| get_integration_settings(id, None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageIntegrations) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! {
            <PageBoundary
                data=page
                view=move |page: SettingsPage| view! {
                    <Top head=page.head.clone() title="Set up" again/>
                    <Setup head=page.head.clone() now=2/>
                    <Card title="What is exchanged"><SettingsForm head=page.head crm=page.crm is_setup=true/></Card>
                }
            />
        }
        .into_any()
    })
}

/// The steps of setting up a CRM. `now`: which one this is, from 0.
#[component]
pub(super) fn Setup(head: IntegrationHead, now: usize) -> impl IntoView {
    let base = format!("/integrations/{}", head.id);
    let steps = [
        ("Client", None),
        ("Sign in", None),
        ("What is exchanged", Some(format!("{base}/setup"))),
        ("Mapping", Some(format!("{base}/mapping"))),
        ("Try and start", Some(format!("{base}/preview"))),
    ];
    let steps = steps
        .into_iter()
        .enumerate()
        .map(|(place, (label, href))| {
            let state = match place.cmp(&now) {
                std::cmp::Ordering::Less => StepState::Done,
                std::cmp::Ordering::Equal => StepState::Now,
                std::cmp::Ordering::Greater => StepState::Next,
            };
            Step { label: label.to_owned(), href: href.filter(|_| state == StepState::Done), state }
        })
        .collect();
    view! { <Stepper steps/> }
}
