use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::engine::Amount;
use super::targets::state;
use crate::model::TargetType;
use crate::model::setup::{TargetForm, TargetPage, TargetRow};
use crate::server_fns_setup::{
    CheckExecutionTarget, HoldExecutionTarget, SaveExecutionTarget, SealExecutionTarget, SwitchExecutionTarget,
    get_execution_target,
};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, ProofField, refused};
use patchbay_ui::*;

fn above() -> Vec<Crumb> {
    vec![crumb("Teams", "/teams"), crumb("Execution", "/execution"), crumb("Targets", "/execution/targets")]
}

/// The form of a new target; `?type=docker` or `?type=kubernetes` for one that is elsewhere.
#[lazy]
pub fn new_target_page() -> PageView {
    let page = load(|| query("type"), |kind| get_execution_target(None, kind));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageExecution) {
            return refused;
        }
        let kinds = Signal::derive(|| {
            let asked = query("type");
            let item = |kind: TargetType| {
                let is_current = asked.as_deref().unwrap_or(TargetType::Local.as_str()) == kind.as_str();
                tab(kind.label(), format!("/execution/targets/new?type={kind}"), is_current)
            };
            TargetType::ALL.iter().copied().map(item).collect::<Vec<_>>()
        });
        view! {
            <PageTitle text="New target" parents=above()/>
            <PageHead title="New target" sub="Where jobs run, and how much they may take there together."/>
            <Tabs label="Type" items=kinds/>
            <PageBoundary data=page view=move |page: TargetPage| view! { <Card><Form page/></Card> }/>
        }
        .into_any()
    })
}

/// One target.
#[lazy]
pub fn target_page() -> PageView {
    let params = use_params_map();
    let page = load(move || params.read().get("id").unwrap_or_default(), |id| get_execution_target(Some(id), None));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: TargetPage| view! { <Shown page again/> }/> }.into_any()
    })
}

#[component]
fn Shown(page: TargetPage, again: Callback<()>) -> impl IntoView {
    let Some(row) = page.row.clone() else { return ().into_any() };
    let (id, kind, is_active, is_held) = (row.id, row.kind, row.is_active, row.held.is_some());
    let (name, may_edit) = (row.name.clone(), page.may_edit);
    let tags = {
        let row = row.clone();
        move || view! { {cell::state(kind)} {state(&row)} }
    };
    let acts = move || {
        view! {
            <HistoryLink id=id.to_string()/>
            <LinkButton href=format!("/jobs?target={id}") icon="activity">"Its jobs"</LinkButton>
            {may_edit.then(|| view! {
                <CheckIt id=id.to_string() again/>
                {is_active.then(|| view! { <HoldIt id=id.to_string() is_held again/> })}
                <SetActive id=id.to_string() is_active again/>
            })}
        }
    };
    let problem = row.problem.clone().map(|problem| {
        view! { <Callout tone=Tone::Bad><p><b>"The last check failed. "</b>{problem}</p></Callout> }
    });
    let held = row.held.clone().map(|since| {
        let by = row.held_by.clone().map(|by| format!(" by {by}"));
        view! { <Callout tone=Tone::Warn><p>"Held "<Time stamp=since/>{by}": no new job starts on it. Jobs that run go on."</p></Callout> }
    });
    let has_secret = kind == TargetType::Kubernetes || row.address.starts_with("https://");
    let seal =
        (page.may_seal && has_secret).then(|| view! { <SecretCard id=id.to_string() kind has=page.has_secret again/> });
    let told = (!page.may_seal && has_secret).then(|| {
        let text = if page.has_secret {
            "It has one. The agency’s owner changes it."
        } else {
            "It has none. The agency’s owner gives it."
        };
        view! { <Card title="Secret"><p class="sub">{text}</p></Card> }
    });
    let found = page.found.clone();
    view! {
        <PageTitle text=name.clone() parents=above()/>
        <PageHead title=name tags actions=acts/>
        {problem}
        {held}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                {may_edit.then(|| view! { <Card title="Settings"><Form page again/></Card> })}
            </div>
            <div class="stack gap-4 min0">
                <InShort row found/>
                {seal}
                {told}
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn InShort(row: TargetRow, found: Vec<String>) -> impl IntoView {
    let mut found = found.into_iter();
    let about = found.next();
    let remarks = found.map(|remark| view! { <p class="note">{remark}</p> }).collect_view();
    let workers = format!("patchbay work --pool {}", row.pool);
    view! {
        <Card title="In short">
            <Facts>
                <Fact label="Running">{format!("{} of {} slots", row.running, row.capacity.slots)}</Fact>
                <Fact label="Waiting">{row.waiting}</Fact>
                <Fact label="Checked">{cell::time_or(row.checked.as_ref(), "Not yet")}</Fact>
            </Facts>
            {about.map(|about| view! { <p class="mt-4">{about}</p> })}
            {remarks}
            {(row.pool != "default").then(|| view! {
                <p class="note">"Workers of its pool see to it: "<code>{workers}</code></p>
            })}
        </Card>
    }
}

#[component]
fn SecretCard(id: String, kind: TargetType, has: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<SealExecutionTarget>();
    let (label, hint) = match kind {
        TargetType::Kubernetes => ("Token", "Of a service account with the role of the documentation."),
        _ => ("Client’s private key", "In PEM, the one that belongs to the certificate."),
    };
    let now = if has { "There is one. It is stored encrypted and never shown." } else { "There is none yet." };
    view! {
        <Card title="Secret">
            <p class="sub">{now}</p>
            <ServerForm action class="form" prefix="seal" on_done=again said="Secret changed">
                <input type="hidden" name="id" value=id/>
                <TextArea name="secret" label rows=3 class="mono" hint mark=false/>
                <ProofField/>
                <FormActs><SubmitButton kind=ButtonKind::Plain icon="key-round">{if has { "Replace it" } else { "Store it" }}</SubmitButton></FormActs>
            </ServerForm>
            <p class="note">"Left empty, the stored one is taken away. With another address it is taken away, too."</p>
        </Card>
    }
}

#[component]
fn CheckIt(id: String, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<CheckExecutionTarget>();
    view! {
        <ServerForm action class="inline" prefix="check" on_done=again no_summary=true said="Checked">
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Plain icon="refresh-cw">"Check connection"</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn HoldIt(id: String, is_held: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<HoldExecutionTarget>();
    let (word, icon) = if is_held { ("Continue", "play") } else { ("Hold", "pause") };
    view! {
        <ServerForm action class="inline" prefix="hold" on_done=again no_summary=true said="State changed">
            <input type="hidden" name="id" value=id/>
            {(!is_held).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

#[component]
fn SetActive(id: String, is_active: bool, again: Callback<()>) -> impl IntoView {
    let action = FormAction::of::<SwitchExecutionTarget>();
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
fn Form(page: TargetPage, #[prop(optional)] again: Option<Callback<()>>) -> impl IntoView {
    let action = FormAction::of::<SaveExecutionTarget>();
    let TargetPage { form, allows_local, .. } = page;
    let is_new = form.id.is_empty();
    let kind = form.kind.parse().unwrap_or(TargetType::Local);
    let own = match kind {
        TargetType::Local => view! { <Here allows_local/> }.into_any(),
        TargetType::Docker => view! { <DockerFields form=form.clone() allows_local/> }.into_any(),
        TargetType::Kubernetes => view! { <KubernetesFields form=form.clone() allows_local/> }.into_any(),
    };
    view! {
        <ServerForm action class="form" nostrip:on_done=again said="Target saved">
            <input type="hidden" name="id" value=form.id/>
            <input type="hidden" name="kind" value=form.kind/>
            <TextInput name="name" label="Name" value=form.name required=true maxlength=80 autocomplete="off"/>
            {own}
            <div class="form two">
                <Amount name="slots" label="Jobs at once" value=form.slots unit="slots"/>
                <Amount name="memory_mb" label="Memory of all jobs" value=form.memory_mb unit="MB"/>
                <Amount name="cpu_milli" label="Processor of all jobs" value=form.cpu_milli unit="thousandths"/>
                <TextInput
                    name="pool"
                    label="Pool of workers"
                    value=form.pool
                    class="mono"
                    maxlength=40
                    autocomplete="off"
                    hint="Which workers see to it: patchbay work --pool NAME."
                />
            </div>
            <FormActs>
                <SubmitButton icon="check">{if is_new { "Add the target" } else { "Save" }}</SubmitButton>
                {is_new.then(|| view! { <a class="btn ghost" href="/execution/targets">"Cancel"</a> })}
            </FormActs>
        </ServerForm>
    }
}

#[component]
fn Here(allows_local: bool) -> impl IntoView {
    if allows_local {
        view! {
            <p class="note">"Each job runs in namespaces of its own, as a user of its own, within limits that the kernel keeps. It sees programs of this machine and a working folder, nothing else. The working folder lies in memory and counts as such."</p>
        }
        .into_any()
    } else {
        view! {
            <Callout tone=Tone::Warn><p>"This installation does not let jobs run on its own machine. Whoever runs it can switch that on: "<code>"--local-targets on"</code></p></Callout>
        }
        .into_any()
    }
}

#[component]
fn DockerFields(form: TargetForm, allows_local: bool) -> impl IntoView {
    let hint = if allows_local {
        "A socket of the workers’ machine, as unix:///var/run/docker.sock, or https:// with certificates."
    } else {
        "https:// with certificates, at a public address."
    };
    view! {
        <TextInput name="address" label="Address" value=form.address class="mono" required=true maxlength=300 autocomplete="off" placeholder="https://engine.example.com:2376" hint/>
        <TextArea name="authority" label="Certificate of the authority" value=form.authority rows=4 class="mono" hint="ca.pem, for an address with https://."/>
        <TextArea name="certificate" label="Certificate of the client" value=form.certificate rows=4 class="mono" hint="cert.pem. Its private key is given on the target’s page."/>
    }
}

#[component]
fn KubernetesFields(form: TargetForm, allows_local: bool) -> impl IntoView {
    let hint = if allows_local {
        "Of the cluster’s API. Empty: the cluster that Patchbay runs in, with the account of its pod."
    } else {
        "Of the cluster’s API, at a public address."
    };
    view! {
        <div class="form two">
            <TextInput name="address" label="Address" value=form.address class="mono" maxlength=300 autocomplete="off" placeholder="https://cluster.example.com:6443" required=!allows_local hint/>
            <TextInput name="namespace" label="Namespace" value=form.namespace class="mono" required=true maxlength=63 autocomplete="off"/>
        </div>
        <TextArea name="authority" label="Certificate of the authority" value=form.authority rows=4 class="mono" hint="Empty: one that browsers know."/>
        <TextArea name="node_selector" label="Nodes" value=form.node_selector rows=2 class="mono" placeholder="pool = jobs" hint="Labels that a node must have, one a line: name = value."/>
    }
}
