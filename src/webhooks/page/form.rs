use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{BASE, above};
use crate::model::{EndpointForm, EndpointPage, EventType, NewSecret};
use crate::server_fns::{RemoveWebhookEndpoint, SaveWebhookEndpoint, get_webhook_endpoint, take_webhook_secret};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{client_options, refused, viewer};
use patchbay_ui::*;

const ALL: &str = "All clients, and the agency itself";

/// The form of a new endpoint.
#[lazy]
pub fn new_webhook_page() -> PageView {
    let page = load(|| (), |()| get_webhook_endpoint(None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageWebhooks) {
            return refused;
        }
        view! {
            <PageTitle text="New endpoint" parents=above(true)/>
            <PageHead title="New endpoint" sub="An address of another system, which Patchbay tells what happens."/>
            <PageBoundary data=page view=move |page: EndpointPage| view! { <Card><Form form=page.form/></Card> }/>
        }
        .into_any()
    })
}

/// The form of an endpoint that is there.
#[lazy]
pub fn edit_webhook_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("endpoint"), get_webhook_endpoint);
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageWebhooks) {
            return refused;
        }
        view! { <PageBoundary data=page view=move |page: EndpointPage| view! { <Edit page/> }/> }.into_any()
    })
}

#[component]
fn Edit(page: EndpointPage) -> impl IntoView {
    let remove = FormAction::of::<RemoveWebhookEndpoint>();
    let id = page.form.id.clone();
    let name = page.name.unwrap_or_default();
    let parents = above(true).into_iter().chain([crumb(name.clone(), format!("{BASE}/{id}"))]).collect::<Vec<_>>();
    view! {
        <PageTitle text=format!("Edit {name}") parents/>
        <PageHead title=name.clone() sub="What is changed here holds for events from now on. What was sent, and what waits, keeps its body."/>
        <Card><Form form=page.form/></Card>
        <Card title="Remove" class="danger-zone">
            <p class="sub">"Nothing is sent there any more, also nothing that waits. Its secrets are deleted."</p>
            <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the endpoint"</DialogLink></p>
        </Card>
        <ConfirmForm
            name="remove"
            action=remove
            title=format!("Remove {name}?")
            text="Nothing is sent there any more, also nothing that waits, and its log of deliveries is not shown any more. This cannot be undone."
            confirm="Remove"
            danger=true
        >
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
    }
}

#[component]
fn Form(form: EndpointForm) -> impl IntoView {
    let save = FormAction::of::<SaveWebhookEndpoint>();
    let EndpointForm { id, name, client, url, events } = form;
    let (word, done) = if id.is_empty() { ("Add the endpoint", "Endpoint added") } else { ("Save", "Saved") };
    let back = if id.is_empty() { BASE.to_owned() } else { format!("{BASE}/{id}") };
    let options =
        EventType::offered().map(|kind| RadioOption::new(kind.as_str(), kind.label(), kind.as_str())).collect();
    let clients = client_options();
    let clients_field = if id.is_empty() {
        view! {
            <Select
                name="client"
                label="Client"
                options=clients
                value=client
                prompt=ALL
                mark=false
                hint="Of one client: nothing of the others is sent there. An endpoint keeps its client."
            />
        }
        .into_any()
    } else {
        // What was kept of one client must not be sent to another's system.
        let known = clients.into_iter().find(|(known, _)| *known == client).map(|(_, name)| name);
        let name = match known {
            _ if client.is_empty() => ALL.to_owned(),
            Some(name) => name,
            // One that was archived since is still the endpoint's.
            None => "An archived client".to_owned(),
        };
        view! {
            <input type="hidden" name="client" value=client/>
            <p class="sub">"Client: " <b>{name}</b> ". An endpoint keeps its client."</p>
        }
        .into_any()
    };
    view! {
        <ServerForm action=save class="form" said=done draft_of=viewer().user_id.to_string()>
            <input type="hidden" name="id" value=id/>
            <TextInput name="name" label="Name" value=name required=true maxlength=120 autocomplete="off" placeholder="Policy system" hint="Which system it is."/>
            {clients_field}
            <TextInput
                name="url"
                label="Address"
                value=url
                kind="url"
                required=true
                maxlength=2000
                autocomplete="off"
                class="mono"
                placeholder="https://hooks.example.com/patchbay"
                hint="Reachable from the internet. Private addresses are refused, also when a name leads to one."
            />
            <Boxes name="events" legend="Events" options chosen=events columns=true/>
            <FormActs>
                <SubmitButton icon="check">{word}</SubmitButton>
                <a class="btn ghost" href=back>"Cancel"</a>
            </FormActs>
        </ServerForm>
    }
}

/// An endpoint's secret, this once.
#[lazy]
pub fn made_webhook_page() -> PageView {
    let made = load(|| (), |()| take_webhook_secret());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageWebhooks) {
            return refusal;
        }
        view! {
            <PageTitle text="Secret of an endpoint" parents=above(true)/>
            <PageBoundary data=made view={|made: Option<NewSecret>| view! { <Made made/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Made(made: Option<NewSecret>) -> impl IntoView {
    let Some(NewSecret { endpoint, name, url, secret }) = made else {
        return view! {
            <PageHead title="Secret of an endpoint"/>
            <EmptyState icon="key-round" title="Nothing to show" text="A secret is shown once, right after it is made. If you have lost it, make another one: it is shown once as well.">
                <LinkButton href=BASE.to_owned()>"Back to the webhooks"</LinkButton>
            </EmptyState>
        }
        .into_any();
    };
    let done = format!("{BASE}/{endpoint}");
    view! {
        <PageHead title=format!("{name}: the secret") actions=move || view! { <LinkButton href=done.clone() kind=ButtonKind::Primary>"Done"</LinkButton> }/>
        <Callout tone=Tone::Warn icon="key-round">
            <b>"Copy it now: it is not shown again."</b>" Keep it where you keep passwords, and out of source code and addresses."
        </Callout>
        <Card>
            <div class="row wrap"><code class="break">{secret.clone()}</code><CopyButton text=secret label="Copy secret"/></div>
            <p class="sub">"It signs what is sent to "<code class="break">{url}</code></p>
            <p class="sub">"The receiver verifies each request with it: "<a class="link" href=format!("{BASE}/verify")>"How to verify"</a></p>
        </Card>
    }
    .into_any()
}
