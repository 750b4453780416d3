use std::sync::Arc;

use leptos::prelude::*;

use crate::model::TestCallChoices;
use crate::server_fns::{MakeTestCall, get_test_call};
use patchbay_access::Action;
use patchbay_shell::refused;
use patchbay_ui::*;

/// Having an agent call one's own phone.
#[lazy]
pub fn test_call_page() -> PageView {
    let choices = load(|| (), |()| get_test_call());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        view! {
            <PageTitle text="Test call" parents=vec![crumb("Integrations", "/integrations")]/>
            <PageHead title="Test call" sub="An agent calls your phone. It is a real call: it costs what calls cost, and is listed with the others."/>
            <PageBoundary data=choices view=move |choices: TestCallChoices| view! { <Fields choices/> }/>
        }
        .into_any()
    })
}

#[component]
fn Fields(choices: TestCallChoices) -> impl IntoView {
    if choices.agents.is_empty() {
        return view! {
            <EmptyState icon="bot" title="No agents yet" text="A test call is made by an agent.">
                <LinkButton href="/agents/new" kind=ButtonKind::Primary icon="plus">"New agent"</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let make = FormAction::of::<MakeTestCall>();
    let agents = options_of(choices.agents.iter().map(|agent| {
        let client = agent.client.as_deref().unwrap_or("whole agency");
        (agent.id.to_string(), format!("{} ({client})", agent.name))
    }));
    let clients = options_of(choices.clients.iter().map(|client| (client.id.to_string(), client.name.clone())));
    view! {
        <Card title="Call">
            <ServerForm action=make class="form" said="Calling">
                <input type="hidden" name="call" value=choices.call.to_string()/>
                <Select name="agent_id" label="Agent" options=agents required=true/>
                <Select
                    name="client_id"
                    label="Client"
                    options=clients
                    prompt="The agent’s own"
                    mark=false
                    hint="For an agent of the whole agency: for whom it calls."
                />
                <TextInput
                    name="to"
                    label="Your phone"
                    kind="tel"
                    required=true
                    autocomplete="tel"
                    placeholder="+13125550100"
                    hint="With + and country code. It rings within seconds; the call’s page follows it."
                />
                <FormActs><SubmitButton icon="phone">"Call now"</SubmitButton></FormActs>
            </ServerForm>
        </Card>
    }
    .into_any()
}
