use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::head::AppFields;
use crate::model::{ConnectPage, IntegrationType, REGIONS};
use crate::server_fns::{ConnectCarrier, CreateIntegration, get_connect_page};
use patchbay_access::Action;
use patchbay_shell::{ProofField, client_options, refused};
use patchbay_ui::*;

/// The first step to a new integration: whose it is, and how one signs in.
#[lazy]
pub fn new_integration_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("kind").unwrap_or_default(), get_connect_page);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageConnections) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: ConnectPage| view! { <New page/> }/> }.into_any()
    })
}

#[component]
fn New(page: ConnectPage) -> impl IntoView {
    let kind = page.kind;
    let title = format!("Connect {}", kind.label());
    let form = if kind.is_carrier() {
        view! { <CarrierForm page/> }.into_any()
    } else {
        view! { <SystemForm page/> }.into_any()
    };
    let steps = kind.is_crm().then(|| {
        let steps = ["Client", "Sign in", "What is exchanged", "Mapping", "Try and start"]
            .into_iter()
            .enumerate()
            .map(|(place, label)| Step {
                label: label.to_owned(),
                href: None,
                state: if place == 0 { StepState::Now } else { StepState::Next },
            })
            .collect();
        view! { <Stepper steps/> }
    });
    view! {
        <PageTitle text=title.clone() parents=vec![crumb("Integrations", "/integrations")]/>
        <PageHead title sub=kind.purpose()/>
        {steps}
        <Card>{form}</Card>
    }
}

fn mode_field(has_sandbox: bool) -> AnyView {
    if !has_sandbox {
        return view! { <input type="hidden" name="mode" value="live"/> }.into_any();
    }
    view! {
        <RadioCards
            name="mode"
            legend="Mode"
            options=vec![
                RadioOption::new("sandbox", "Sandbox", "Patchbay’s built-in simulator. No account needed."),
                RadioOption::new("live", "Live", "The real service, with a real account."),
            ]
            value="sandbox"
        />
    }
    .into_any()
}

/// A CRM, a Slack, or a system of the agency's own.
#[component]
fn SystemForm(page: ConnectPage) -> impl IntoView {
    let save = FormAction::of::<CreateIntegration>();
    let ConnectPage { kind, has_sandbox, callback } = page;
    let service = kind.label();
    let clients = client_options();
    let client = match kind.is_crm() {
        true => view! { <Select name="client" label="Client" options=clients value=query("client").unwrap_or_default() prompt="Choose a client" required=true/> }.into_any(),
        false => {
            view! { <Select name="client" label="Client" options=clients value=query("client").unwrap_or_default() prompt="All clients" mark=false hint="Only what concerns this client is told."/> }
                .into_any()
        }
    };
    let app = kind.is_crm().then(|| {
        view! {
            <Fieldset legend="Your app at the service" hint="For live mode. The sandbox needs none.">
                <AppFields service/>
                <CallbackAddress callback=callback.clone()/>
            </Fieldset>
        }
    });
    let region = (kind == IntegrationType::Zoho).then(|| {
        view! { <Select name="region" label="Where the account is kept" options=options_of(REGIONS) value="com" mark=false hint="The ending of the address at which you sign in to Zoho."/> }
    });
    let word = if kind.is_crm() { "Go on to the sign-in" } else { "Go on" };
    view! {
        <ServerForm action=save class="form">
            <input type="hidden" name="kind" value=kind.as_str()/>
            {client}
            <TextInput name="name" label="Name" maxlength=60 mark=false autocomplete="off" placeholder=service hint="Tells several apart. Empty: the service’s own name."/>
            {mode_field(has_sandbox)}
            {app}
            {region}
            <ProofField/>
            <FormActs><SubmitButton icon="arrow-right">{word}</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// What the agency's own app at the service has to know.
#[component]
pub(super) fn CallbackAddress(callback: String) -> impl IntoView {
    let shown = callback.clone();
    view! {
        <p class="note">"Enter this as the app’s redirect address: "<code class="break">{shown}</code><CopyButton text=callback label="Copy the redirect address"/></p>
    }
}

/// An account at a carrier.
#[component]
fn CarrierForm(page: ConnectPage) -> impl IntoView {
    let save = FormAction::of::<ConnectCarrier>();
    let kind = page.kind;
    let (account, token) = match kind {
        IntegrationType::Twilio => ("Account SID", "Auth token"),
        _ => ("Auth ID", "Auth token"),
    };
    view! {
        <ServerForm action=save class="form">
            <input type="hidden" name="kind" value=kind.as_str()/>
            <TextInput name="name" label="Name" maxlength=60 mark=false autocomplete="off" placeholder=kind.label() hint="Tells several apart. Empty: the service’s own name."/>
            {mode_field(page.has_sandbox)}
            <TextInput name="account" label=account class="mono" maxlength=300 autocomplete="off" mark=false hint="On the first page of the service’s console. The sandbox needs none."/>
            <TextInput name="token" label=token kind="password" maxlength=300 autocomplete="off" mark=false/>
            <p class="note">"The account is tried first. If the service refuses it, nothing changes. The token is stored encrypted and never shown again."</p>
            <ProofField/>
            <FormActs><SubmitButton>"Connect"</SubmitButton></FormActs>
        </ServerForm>
    }
}
