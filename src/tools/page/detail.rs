use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fields::ToolFields;
use super::offers::Functions;
use super::uses::UseFacts;
use crate::model::schema::TryField;
use crate::model::{ToolPage, UsePage};
use crate::server_fns::{SaveAgentTool, TryAgentTool, get_agent_tool};
use patchbay_shared::Tone;
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

/// One tool: its form, and a try beside it. The form does not follow live notices: what is being typed stays.
#[lazy]
pub fn tool_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let param = |name: &str| params.read().get(name).unwrap_or_default();
        (param("id"), param("tool"), query("function"), query("tried"))
    };
    let tool = load(asked, |(agent, id, function, tried)| get_agent_tool(agent, id, function, tried));
    Arc::new(move || {
        let again = Callback::new(move |()| tool.refetch());
        view! { <PageBoundary data=tool view=move |page: ToolPage| view! { <Tool page again/> }/> }.into_any()
    })
}

#[component]
fn Tool(page: ToolPage, again: Callback<()>) -> impl IntoView {
    let (agent, tool) = (page.agent.clone(), page.tool.clone());
    let (kind, values, choices) = (tool.kind, page.values.clone(), page.choices.clone());
    let (name, description, agent_id, tool_id) =
        (tool.name.clone(), tool.description.clone(), agent.id.to_string(), tool.id.to_string());
    let save = FormAction::of::<SaveAgentTool>();
    let id = tool.id.to_string();
    let form = match page.may_edit {
        true => view! {
            <ServerForm action=save class="form" on_done=again said="Tool saved">
                <input type="hidden" name="agent" value=agent_id/>
                <input type="hidden" name="id" value=tool_id/>
                <ToolFields kind name description values choices/>
                <FormActs><SubmitButton icon="save">"Save"</SubmitButton></FormActs>
            </ServerForm>
        }
        .into_any(),
        false => view! {
            <p class="pre-line">{tool.description.clone()}</p>
            <Facts><Fact label="What it does">{tool.summary.clone()}</Fact></Facts>
        }
        .into_any(),
    };
    let (state_tone, state) = if tool.is_active { (Tone::Ok, "In use") } else { (Tone::Mute, "Off") };
    let is_active = tool.is_active;
    let trying = match tool.is_built_in {
        true => view! {
            <Card title="Try it">
                <p class="sub">"The voice service does this itself on a live call, so there is nothing to try here. Make a test call with the agent."</p>
                <p class="mt-2"><LinkButton href="/test-call" icon="phone">"Make a test call"</LinkButton></p>
            </Card>
        }
        .into_any(),
        false if page.function.is_empty() => view! {
            <Card title="Try it">
                <p class="sub">"No function is chosen yet: then one of them can be tried here."</p>
            </Card>
        }
        .into_any(),
        false => view! { <Try page=page.clone() again/> }.into_any(),
    };
    let functions = page.offers.clone().map(|offers| view! { <Functions page offers again/> });
    view! {
        <PageTitle
            text=tool.name.clone()
            parents=vec![
                crumb("Agents", "/agents"),
                crumb(agent.name.clone(), format!("/agents/{}", agent.id)),
                crumb("Tools", format!("/agents/{}/tools", agent.id)),
            ]
        />
        <PageHead
            title=tool.name.clone()
            sub=format!("{} of {}", tool.kind.label(), agent.name)
            tags=move || view! { <State tone=state_tone label=state on=is_active/> }
            actions=move || view! { <HistoryLink id=id/> }
        />
        <div class="cols main-side">
            <Card title="What it does">{form}</Card>
            {trying}
        </div>
        {functions}
    }
}

#[component]
fn Try(page: ToolPage, again: Callback<()>) -> impl IntoView {
    let send = FormAction::of::<TryAgentTool>();
    let (agent, tool) = (page.agent, page.tool);
    let is_about_contacts = tool.kind.is_about_contacts();
    let clients = (is_about_contacts && !page.clients.is_empty()).then(|| {
        let options: Vec<(String, String)> =
            page.clients.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
        view! { <Select name="client" label="For the client" options prompt="Choose" required=true/> }
    });
    let phone = is_about_contacts.then(|| {
        view! { <TextInput name="phone" label="Person on the call" inputmode="tel" hint="The number of a contact of the client."/> }
    });
    let functions = (!tool.functions.is_empty()).then(|| {
        let current = page.function.clone();
        let items = tool
            .functions
            .iter()
            .map(|(name, _)| {
                let href = format!("/agents/{}/tools/{}?function={}", agent.id, tool.id, address::escape(name));
                tab(name.clone(), href, *name == current)
            })
            .collect::<Vec<_>>();
        view! { <Tabs label="Functions" items in_card=true/> }
    });
    let fields = match page.try_fields {
        Some(fields) => fields.into_iter().map(|field| view! { <TryInput field/> }).collect_view().into_any(),
        None => view! {
            <TextArea name="arguments" label="Values as JSON" rows=8 class="mono" required=true hint="The parameters are nested, so they are given as one JSON object."/>
        }
        .into_any(),
    };
    let tried = page.tried.map(|tried| view! { <Tried tried/> });
    let form = page.may_edit.then(|| {
        view! {
            <ServerForm action=send class="form" prefix="try" on_done=again>
                <input type="hidden" name="agent" value=agent.id.to_string()/>
                <input type="hidden" name="id" value=tool.id.to_string()/>
                <input type="hidden" name="function" value=page.function/>
                {clients}
                {phone}
                {fields}
                <p class="note">"It is really done, as on a call: what it changes is changed."</p>
                <FormActs><SubmitButton icon="send">"Send"</SubmitButton></FormActs>
            </ServerForm>
        }
    });
    view! {
        <Card title="Try it" id="try" right=move || view! { <span class="sub">{format!("{} tries in 7 days", tool.counts.tries)}</span> }>
            {functions}
            {form}
            {tried}
            <details class="mt-2">
                <summary>"JSON Schema"</summary>
                <pre class="code pre-line">{page.schema}</pre>
            </details>
        </Card>
    }
}

#[component]
fn TryInput(field: TryField) -> impl IntoView {
    let TryField { field, label, about, is_required, choices } = field;
    match choices.is_empty() {
        true => view! { <TextInput name=field label class="mono" required=is_required hint=about/> }.into_any(),
        false => {
            let options: Vec<(String, String)> = choices.into_iter().map(|one| (one.clone(), one)).collect();
            view! { <Select name=field label options prompt="Nothing" required=is_required hint=about/> }.into_any()
        }
    }
}

#[component]
fn Tried(tried: UsePage) -> impl IntoView {
    view! {
        <section class="mt-4" aria-label="What came of the try">
            <UseFacts row=tried/>
        </section>
    }
}
