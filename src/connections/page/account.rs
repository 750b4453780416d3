use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{Connection, Mode, Provider};
use crate::server_fns::{SaveModelAccount, list_connections};
use patchbay_access::Action;
use patchbay_shell::{ProofField, refused};
use patchbay_ui::*;

/// The form for one more model account.
#[lazy]
pub fn new_model_account_page() -> PageView {
    let rows = load(|| (), |()| list_connections());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageConnections) {
            return refusal;
        }
        view! {
            <PageTitle text="Add a model account" parents=vec![crumb("Integrations", "/integrations")]/>
            <PageHead title="Add a model account" sub="Analyses, agent runs and tests are answered by its models."/>
            <PageBoundary
                data=rows
                view={move |rows: Vec<Connection>| {
                    let has_sandbox = rows.first().is_some_and(|row| row.has_sandbox);
                    view! { <Card><AccountForm account=None has_sandbox again=Callback::new(|()| ())/></Card> }
                }}
            />
        }
        .into_any()
    })
}

/// The form of a model account. None: a new one.
#[component]
pub(super) fn AccountForm(account: Option<Connection>, has_sandbox: bool, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveModelAccount>();
    let stored = account.filter(|account| account.id.is_some());
    let is_new = stored.is_none();
    let kind = stored.as_ref().map(|account| account.provider);
    let id = stored.as_ref().and_then(|account| account.id).map(|id| id.to_string()).unwrap_or_default();
    let mode = match &stored {
        Some(account) => account.mode,
        None if has_sandbox => Mode::Sandbox,
        None => Mode::Live,
    };
    let name = stored.as_ref().map(|account| account.name.clone()).unwrap_or_default();
    let address = stored.as_ref().and_then(|account| account.base_url.clone()).unwrap_or_default();
    let hint = match kind {
        Some(kind) => format!("Leave it empty to keep the stored key. {}", kind.key_hint()),
        None => "From the service’s own page of keys. The sandbox needs none.".to_owned(),
    };
    let kinds: Vec<RadioOption> = Provider::ALL
        .iter()
        .filter(|kind| kind.has_models())
        .map(|kind| RadioOption::new(kind.as_str(), kind.label(), kind.purpose()))
        .collect();
    let kind_field = match kind {
        Some(kind) => view! { <input type="hidden" name="kind" value=kind.as_str()/> }.into_any(),
        None => view! {
            <RadioCards
                name="kind"
                legend="Service"
                options=kinds
                value=query("kind").unwrap_or_else(|| Provider::Openrouter.to_string())
            />
        }
        .into_any(),
    };
    let mode_field = if has_sandbox {
        view! {
            <RadioCards
                name="mode"
                legend="Mode"
                options=vec![
                    RadioOption::new("sandbox", "Sandbox", "Patchbay’s built-in simulator. No costs, no key needed."),
                    RadioOption::new("live", "Live", "The real service, with your account’s key."),
                ]
                value=mode.as_str()
            />
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="mode" value="live"/> }.into_any()
    };
    let has_address = kind.is_none_or(|kind| kind == Provider::OpenaiCompatible);
    view! {
        <ServerForm action=save class="form" on_done=again said="Account saved">
            <input type="hidden" name="id" value=id/>
            {kind_field}
            <TextInput
                name="name"
                label="Name"
                value=name
                maxlength=60
                hint="Tells several accounts apart. Empty: the service’s own name."
            />
            {mode_field}
            {has_address.then(|| view! {
                <TextInput
                    name="base_url"
                    label="Address"
                    kind="url"
                    value=address
                    class="mono"
                    maxlength=300
                    placeholder="https://api.openai.com/v1"
                    hint="For OpenAI-compatible servers in live mode: the part before /chat/completions. It must be a public https address. Empty: OpenAI’s own."
                />
            })}
            <TextInput name="api_key" label="API key" kind="password" autocomplete="off" mark=false hint/>
            <p class="note">"The key is checked with the service first. If the service rejects it, nothing changes. It is stored encrypted and never shown again."</p>
            <ProofField/>
            <FormActs><SubmitButton>{if is_new { "Connect" } else { "Try and save" }}</SubmitButton></FormActs>
        </ServerForm>
    }
}
