use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::EngineType;
use crate::model::setup::{EngineForm, EnginePage, EngineRow};
use crate::server_fns_setup::{
    DefaultExecutionEngine, SaveExecutionEngine, SwitchExecutionEngine, get_execution_engine,
};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, refused};
use patchbay_ui::*;

fn above() -> Vec<Crumb> {
    vec![crumb("Teams", "/teams"), crumb("Execution", "/execution"), crumb("Engines", "/execution/engines")]
}

/// The form of a new engine; `?type=process` for one that runs commands.
#[lazy]
pub fn new_engine_page() -> PageView {
    let page = load(|| query("type"), |kind| get_execution_engine(None, kind));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageExecution) {
            return refused;
        }
        let kinds = Signal::derive(|| {
            let is_process = query("type").as_deref() == Some(EngineType::Process.as_str());
            vec![
                tab("Model", "/execution/engines/new", !is_process),
                tab("Process", "/execution/engines/new?type=process", is_process),
            ]
        });
        view! {
            <PageTitle text="New engine" parents=above()/>
            <PageHead title="New engine" sub="How jobs are done: by a model with the agent’s tools, or by a command in a sandbox."/>
            <Tabs label="Type" items=kinds/>
            <PageBoundary data=page view=move |page: EnginePage| view! { <Card><Form page/></Card> }/>
        }
        .into_any()
    })
}

/// One engine.
#[lazy]
pub fn engine_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), |id| get_execution_engine(Some(id), None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: EnginePage| view! { <Shown page again/> }/> }.into_any()
    })
}

#[component]
fn Shown(page: EnginePage, again: Callback<()>) -> impl IntoView {
    let Some(row) = page.row.clone() else { return ().into_any() };
    let EngineRow { id, name, kind, about, limit, is_default, is_active, .. } = row;
    let may_edit = page.may_edit;
    let description = page.form.description.clone();
    let is_model = kind == EngineType::Model;
    let title = name.clone();
    let acts = move || {
        view! {
            <HistoryLink id=id.to_string()/>
            <LinkButton href=format!("/jobs?engine={id}") icon="activity">"Its jobs"</LinkButton>
            {(may_edit && is_active && !is_default).then(|| view! { <MakeDefault id=id.to_string() again/> })}
            {may_edit.then(|| view! { <SetActive id=id.to_string() is_active again/> })}
        }
    };
    let note = is_model.then_some(
        "Tools are used by the worker itself. What a job of it may do is what its agent may do, within the limits of the team.",
    );
    view! {
        <PageTitle text=name parents=above()/>
        <PageHead
            title
            sub=description
            tags=move || view! {
                {cell::state(kind)}
                {is_default.then(|| view! { <Tag tone=Tone::Info>"Default"</Tag> })}
                {(!is_active).then(|| view! { <Tag>"Deactivated"</Tag> })}
            }
            actions=acts
        />
        {(!is_active).then(|| view! {
            <Callout tone=Tone::Warn><p>"This engine is deactivated: no new job begins with it. Jobs that have it go on."</p></Callout>
        })}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                {may_edit.then(|| view! { <Card title="Settings"><Form page again/></Card> })}
            </div>
            <div class="stack gap-4 min0">
                <Card title="In short">
                    <Facts>
                        <Fact label="Works with">{about}</Fact>
                        <Fact label="One try at most">{limit}</Fact>
                    </Facts>
                    {note.map(|note| view! { <p class="note">{note}</p> })}
                </Card>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn MakeDefault(id: String, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<DefaultExecutionEngine>();
    view! {
        <ServerForm action class="inline" prefix="default" on_done=again no_summary=true said="This is the default engine now">
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Plain icon="check">"Make it the default"</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn SetActive(id: String, is_active: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<SwitchExecutionEngine>();
    let (word, icon) = if is_active { ("Deactivate", "x") } else { ("Restore", "rotate-ccw") };
    view! {
        <ServerForm action class="inline" prefix="active" on_done=again no_summary=true said="State changed">
            <input type="hidden" name="id" value=id/>
            {(!is_active).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn Form(page: EnginePage, #[prop(optional)] again: Option<Callback<()>>) -> impl IntoView {
    let action = FormAction::of::<SaveExecutionEngine>();
    let EnginePage { form, accounts, .. } = page;
    let is_new = form.id.is_empty();
    let is_process = form.kind == EngineType::Process.as_str();
    let own = if is_process {
        view! { <ProcessFields form=form.clone()/> }.into_any()
    } else {
        view! { <ModelFields form=form.clone() accounts/> }.into_any()
    };
    view! {
        <ServerForm action class="form" nostrip:on_done=again said="Engine saved">
            <input type="hidden" name="id" value=form.id/>
            <input type="hidden" name="kind" value=form.kind/>
            <TextInput name="name" label="Name" value=form.name required=true maxlength=80 autocomplete="off"/>
            <TextArea name="description" label="Description" value=form.description rows=2 maxlength=500/>
            {own}
            <FormActs>
                <SubmitButton icon="check">{if is_new { "Add the engine" } else { "Save" }}</SubmitButton>
                {is_new.then(|| view! { <a class="btn ghost" href="/execution/engines">"Cancel"</a> })}
            </FormActs>
        </ServerForm>
    }
}

#[component]
fn ModelFields(form: EngineForm, accounts: Vec<(String, String)>) -> impl IntoView {
    view! {
        <div class="form two">
            <Select
                name="account"
                label="Account"
                options=accounts
                value=form.account
                prompt="What the agent’s runs use"
                hint="An account of models at Connections."
            />
            <TextInput name="model" label="Model" value=form.model class="mono" maxlength=200 autocomplete="off" hint="As the account’s service names it."/>
            <Amount name="most_steps" label="Answers in one job" value=form.most_steps unit="answers"/>
            <Amount name="most_tokens" label="Longest answer" value=form.most_tokens unit="tokens"/>
            <Amount name="timeout_seconds" label="Time for one try" value=form.timeout_seconds unit="seconds"/>
        </div>
    }
}

#[component]
fn ProcessFields(form: EngineForm) -> impl IntoView {
    view! {
        <div class="form two">
            <TextInput
                name="interpreter"
                label="Program that reads the script"
                value=form.interpreter
                class="mono"
                required=true
                autocomplete="off"
                hint="With its arguments; the script’s file comes last."
            />
            <TextInput
                name="image"
                label="Image"
                value=form.image
                class="mono"
                maxlength=300
                autocomplete="off"
                placeholder="python:3.13-slim"
                hint="For Docker and Kubernetes. It needs sh, tar and base64."
            />
            <Amount name="memory_mb" label="Memory" value=form.memory_mb unit="MB"/>
            <Amount name="cpu_milli" label="Processor" value=form.cpu_milli unit="thousandths"/>
            <Amount name="disk_mb" label="Working folder" value=form.disk_mb unit="MB"/>
            <Amount name="most_processes" label="Processes" value=form.most_processes unit="at once"/>
            <Amount name="timeout_seconds" label="Time for one try" value=form.timeout_seconds unit="seconds"/>
        </div>
        <Checkbox
            name="network"
            label="It may use the network"
            checked=form.network.is_some()
            hint="Without this there is none at all in its sandbox. In Kubernetes the namespace’s network policies decide."
        />
    }
}

/// A number with its unit.
#[component]
pub(super) fn Amount(name: &'static str, label: &'static str, value: String, unit: &'static str) -> impl IntoView {
    view! { <TextInput name label value required=true inputmode="numeric" class="short" suffix_text=unit autocomplete="off"/> }
}
