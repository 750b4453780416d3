use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::account::AccountForm;
use super::facts::{ConnectionFacts, ConnectionState};
use crate::model::{Connection, IntegrationStatus, Mode, Provider, USUAL_VOICE_PRICE};
use crate::server_fns::{CheckConnection, SaveConnection, SetUpTelephony, SwitchConnection, get_connection};
use patchbay_shared::Tone;
use patchbay_shell::ProofField;
use patchbay_ui::*;

/// One service: how it is doing, and its credentials. The form does not follow live notices: what is being typed stays.
#[lazy]
pub fn connection_detail_page() -> PageView {
    let params = use_params_map();
    let provider = move || params.read().get("provider").unwrap_or_default();
    let connection = load(provider, get_connection);
    let state = load(provider, get_connection);
    Arc::new(move || {
        live::on_change(&["connections"], move || state.refetch());
        let again = Callback::new(move |()| {
            connection.refetch();
            state.refetch();
        });
        view! {
            <PageBoundary data=connection view=move |connection: Connection| view! { <Detail connection state again/> }/>
        }
        .into_any()
    })
}

#[component]
fn Detail(connection: Connection, state: Loaded<Connection>, again: Callback<()>) -> impl IntoView {
    let provider = connection.provider;
    let webhook = connection.webhook_url.clone().map(|url| view! { <Webhook provider url/> });
    let past = (provider == Provider::Ultravox && connection.status.is_some()).then(|| view! {
        <Card title="Past calls">
            <p class="sub">"Bring in calls from before the connection, and see what is missing."</p>
            <p><LinkButton href=format!("/connections/{provider}/history") icon="history">"Past calls"</LinkButton></p>
        </Card>
    });
    let used_by = connection
        .used_by
        .iter()
        .cloned()
        .map(|(words, href)| view! { <li><a class="link" href=href>{words}</a></li> })
        .collect_view();
    let telephony = (provider == Provider::Telnyx && connection.status.is_some()).then(|| {
        view! { <BlockBoundary data=state view=move |connection: Connection| view! { <Telephony connection again/> }/> }
    });
    let test_call = (provider == Provider::Ultravox && connection.status.is_some() && connection.may_call).then(|| {
        view! {
            <Card title="Try it">
                <p class="sub">"Have an agent call your own phone, and hear what your clients’ contacts hear."</p>
                <p class="mt-4"><LinkButton href="/test-call" icon="phone">"Make a test call"</LinkButton></p>
            </Card>
        }
    });
    let name = connection.name.clone();
    let form = if connection.may_edit && provider.has_models() {
        let has_sandbox = connection.has_sandbox;
        let account = Some(connection).filter(|connection| connection.id.is_some());
        view! { <Card title="Credentials and settings"><AccountForm account has_sandbox again/></Card> }.into_any()
    } else if connection.may_edit {
        view! { <Card title="Credentials and settings"><Credentials connection again/></Card> }.into_any()
    } else {
        view! { <Callout tone=Tone::Info><p>"Only an owner of the agency can enter or change credentials."</p></Callout> }.into_any()
    };
    view! {
        <PageTitle text=name.clone() parents=vec![crumb("Integrations", "/integrations")]/>
        <PageHead title=name sub=provider.purpose()/>
        <div class="cols main-side">
            {form}
            <div class="stack gap-4">
                <BlockBoundary data=state view=move |connection: Connection| view! { <StateCard connection again/> }/>
                {telephony}
                <Card title="Used by"><ul class="list">{used_by}</ul></Card>
                {test_call}
                {past}
                {webhook}
            </div>
        </div>
    }
}

#[component]
fn StateCard(connection: Connection, again: Callback<()>) -> impl IntoView {
    let status = connection.status;
    let actions = status.filter(|_| connection.may_edit).map(|status| {
        let check = FormAction::of::<CheckConnection>();
        let switch = FormAction::of::<SwitchConnection>();
        let is_off = status == IntegrationStatus::Inactive;
        let key = connection.key();
        let same = key.clone();
        view! {
            <div class="row wrap mt-4">
                <ServerForm action=check class="inline" prefix="check" on_done=again said="Connection checked">
                    <input type="hidden" name="provider" value=key/>
                    <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Check now"</SubmitButton>
                </ServerForm>
                <ServerForm action=switch class="inline" prefix="switch" on_done=again said="Connection switched">
                    <input type="hidden" name="provider" value=same/>
                    {is_off.then(|| view! { <input type="hidden" name="on" value="true"/> })}
                    <SubmitButton kind=ButtonKind::Ghost>{if is_off { "Switch on" } else { "Switch off" }}</SubmitButton>
                </ServerForm>
            </div>
        }
    });
    view! {
        <Card title="State" right=move || view! { <ConnectionState status/> }>
            <ConnectionFacts connection/>
            {actions}
        </Card>
    }
}

/// The way between carrier and voice service.
#[component]
fn Telephony(connection: Connection, again: Callback<()>) -> impl IntoView {
    let setup = connection.settings.telephony.clone().unwrap_or_default();
    let (tone, word) = match (&setup.error, &setup.application_id) {
        (Some(_), _) => (Tone::Warn, "Not complete"),
        (None, Some(_)) if setup.drift.is_some() => (Tone::Warn, "Changed"),
        (None, Some(_)) => (Tone::Ok, "Set up"),
        (None, None) => (Tone::Mute, "Not set up"),
    };
    let check_word = if setup.drift.is_some() { "Set again" } else { "Check and set up" };
    let buttons = connection.may_edit.then(|| {
        let check = FormAction::of::<SetUpTelephony>();
        let replace = FormAction::of::<SetUpTelephony>();
        view! {
            <div class="row wrap mt-4">
                <ServerForm action=check class="inline" prefix="telephony" on_done=again said="Looked again">
                    <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">{check_word}</SubmitButton>
                </ServerForm>
                {setup.other_account.clone().map(|_| view! {
                    <ServerForm action=replace class="inline" prefix="replace" on_done=again said="Replaced">
                        <input type="hidden" name="replace" value="on"/>
                        <SubmitButton kind=ButtonKind::Danger>"Replace it at Ultravox"</SubmitButton>
                    </ServerForm>
                })}
            </div>
        }
    });
    view! {
        <Card title="Calls in and out" right=move || view! { <State tone=tone label=word on=true/> }>
            <div class="stack gap-3">
                <p class="sub">"Ultravox dials through this account, and Telnyx asks Patchbay who answers when one of your numbers is called. Patchbay sets up both, and leaves alone what others have set up there."</p>
                {setup.error.clone().map(|error| view! { <Callout tone=Tone::Warn><p>{error}</p></Callout> })}
                {setup.drift.clone().map(|what| view! { <Callout tone=Tone::Warn><p>{what}</p></Callout> })}
                <Facts>
                    {setup.application_id.clone().map(|id| view! { <Fact label="Application at Telnyx" class="mono break">{id}</Fact> })}
                    {setup.account_id.clone().map(|id| view! { <Fact label="Account" class="mono break">{id}</Fact> })}
                    {connection.telephony_checked.clone().map(|at| view! { <Fact label="Last checked"><Time stamp=at/></Fact> })}
                </Facts>
            </div>
            {buttons}
        </Card>
    }
}

#[component]
fn Webhook(provider: Provider, url: String) -> impl IntoView {
    let text = match provider {
        Provider::Ultravox => {
            "Patchbay registers this address at Ultravox automatically when you save a key. Ultravox must be able to reach it from the internet."
        }
        _ => {
            "Patchbay sets this address at its own application at Telnyx. Enter it in the Telnyx portal too, at every other connection that your numbers use, as its webhook address."
        }
    };
    view! {
        <Card title="Webhook">
            <p class="sub">{text}</p>
            <p class="row mt-2"><code class="break">{url.clone()}</code><CopyButton text=url label="Copy the address"/></p>
        </Card>
    }
}

#[component]
fn Credentials(connection: Connection, again: Callback<()>) -> impl IntoView {
    let save = FormAction::of::<SaveConnection>();
    let provider = connection.provider;
    let is_new = connection.status.is_none();
    let mode = if is_new && connection.has_sandbox { Mode::Sandbox } else { connection.mode };
    let key_hint = match is_new {
        true => provider.key_hint().to_owned(),
        false => format!("Leave it empty to keep the stored key. {}", provider.key_hint()),
    };
    let settings = connection.settings.clone();
    let own_fields = match provider {
        Provider::Ultravox => {
            let price = settings.voice_price_per_minute.unwrap_or(USUAL_VOICE_PRICE).to_string();
            view! {
                <TextInput
                    name="price_per_minute"
                    label="Price per call minute"
                    value=price
                    prefix_text="$"
                    inputmode="decimal"
                    class="short"
                    required=true
                    hint="What Ultravox bills you. Call costs are calculated with it."
                />
            }
            .into_any()
        }
        Provider::Telnyx => view! {
            <TextInput
                name="public_key"
                label="Public key"
                value=connection.public_key.clone().unwrap_or_default()
                class="mono"
                hint="In the Telnyx portal under Keys & credentials, Public key. Telnyx’s events are checked with it."
            />
            <TextInput
                name="call_connection_id"
                label="Connection for new numbers"
                value=settings.call_connection_id.unwrap_or_default()
                class="mono"
                hint="The id of the connection at Telnyx that calls to a new number go to."
            />
        }
        .into_any(),
        // Accounts of models have a form of their own.
        _ => ().into_any(),
    };
    let mode_field = if connection.has_sandbox {
        view! {
            <RadioCards
                name="mode"
                legend="Mode"
                options=vec![
                    RadioOption::new("sandbox", "Sandbox", "Patchbay’s built-in simulator. No real calls, no costs, no key needed."),
                    RadioOption::new("live", "Live", "The real service, with your account’s key."),
                ]
                value=mode.as_str()
            />
        }
        .into_any()
    } else {
        view! { <input type="hidden" name="mode" value="live"/> }.into_any()
    };
    view! {
        <ServerForm action=save class="form" on_done=again said="Connection saved">
            <input type="hidden" name="provider" value=provider.as_str()/>
            {mode_field}
            <TextInput name="api_key" label="API key" kind="password" autocomplete="off" mark=false hint=key_hint/>
            {own_fields}
            <p class="note">"The key is checked with the service first. If the service rejects it, nothing changes. It is stored encrypted and never shown again."</p>
            <ProofField/>
            <FormActs><SubmitButton>{if is_new { "Connect" } else { "Try and save" }}</SubmitButton></FormActs>
        </ServerForm>
    }
}
