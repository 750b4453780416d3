use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{above, at_rest};
use crate::model::{NewSecret, Switched, TriggerPage};
use crate::server_fns::{
    RemoveAgentTrigger, RotateAgentTrigger, SaveAgentTrigger, SwitchAgentTrigger, get_agent_trigger,
    list_agent_triggers, take_trigger_secret,
};
use patchbay_access::Action;
use patchbay_shared::Tone;
use patchbay_shell::{HistoryLink, refused};
use patchbay_tools::model::AgentHead;
use patchbay_tools::page::agent_tabs;
use patchbay_ui::*;

const LIST: Option<(&str, &str)> = Some(("Triggers", "triggers"));

/// The form of a new trigger.
#[lazy]
pub fn new_trigger_page() -> PageView {
    let params = use_params_map();
    let page = load(
        move || params.read().get("id").unwrap_or_default(),
        |agent| list_agent_triggers(agent, crate::model::ListQuery::default()),
    );
    Arc::new(move || {
        if let Some(refused) = refused(Action::ManageAgents) {
            return refused;
        }
        view! {
            <PageBoundary data=page view=move |page: crate::model::TriggersPage| view! { <New agent=page.agent rest=page.rest/> }/>
        }
        .into_any()
    })
}

#[component]
fn New(agent: AgentHead, rest: Option<String>) -> impl IntoView {
    let sub = format!("An address at which another system sets {} off.", agent.name);
    view! {
        <PageTitle text="New trigger" parents=above(&agent, LIST)/>
        <PageHead title="New trigger" sub/>
        {at_rest(rest)}
        <Card>
            <Form agent=agent.id.to_string() id=String::new() name=String::new()/>
            <p class="note">"Its secret is shown once, right after this. With it the other system signs what it sends."</p>
        </Card>
    }
}

#[component]
fn Form(agent: String, id: String, name: String, #[prop(optional)] again: Option<Callback<()>>) -> impl IntoView {
    let save = FormAction::of::<SaveAgentTrigger>();
    let word = if id.is_empty() { "Add the trigger" } else { "Save" };
    view! {
        <ServerForm action=save class="form" nostrip:on_done=again>
            <input type="hidden" name="agent" value=agent/>
            <input type="hidden" name="id" value=id/>
            <TextInput name="name" label="Name" value=name required=true maxlength=80 autocomplete="off" placeholder="Orders of the shop"/>
            <FormActs><SubmitButton icon="check">{word}</SubmitButton></FormActs>
        </ServerForm>
    }
}

/// A trigger with its address, and how to call it.
#[lazy]
pub fn trigger_page() -> PageView {
    let params = use_params_map();
    let asked = move || {
        let params = params.read();
        (params.get("id").unwrap_or_default(), params.get("trigger").unwrap_or_default())
    };
    let page = load(asked, |(agent, id)| get_agent_trigger(agent, id));
    Arc::new(move || {
        if let Some(refused) = refused(Action::ReadWorkshop) {
            return refused;
        }
        let again = Callback::new(move |()| page.refetch());
        view! { <PageBoundary data=page view=move |page: TriggerPage| view! { <Present page again/> }/> }.into_any()
    })
}

#[component]
fn Present(page: TriggerPage, again: Callback<()>) -> impl IntoView {
    let parents = above(&page.agent, LIST);
    let TriggerPage { agent, row, rest, may_edit } = page;
    let (id, enabled) = (row.id, row.enabled);
    let acts = {
        let agent = agent.id.to_string();
        move || {
            view! {
                <HistoryLink id=id.to_string()/>
                <LinkButton href=format!("/runs?trigger={id}") icon="activity">"Its runs"</LinkButton>
                {may_edit.then(|| view! { <SwitchIt agent id=id.to_string() enabled again/> })}
            }
        }
    };
    let old = row.old_until.clone().map(|until| {
        view! { <Callout tone=Tone::Info><p>"The secret before the present one signs until "<Time stamp=until/>", too."</p></Callout> }
    });
    let last = match row.last.clone() {
        Some((at, run)) => {
            view! { <Time stamp=at/>" · "<a class="link" href=format!("/runs/{run}")>"the run"</a> }.into_any()
        }
        None => "Nobody has called it yet".into_any(),
    };
    let (name, address, shown) = (row.name.clone(), row.address.clone(), row.address);
    let edit = may_edit.then(|| {
        let name = name.clone();
        view! {
            <Card title="Name"><Form agent=agent.id.to_string() id=id.to_string() name again/></Card>
            <Card title="Secret">
                <p class="sub">"Another secret is shown once. The present one goes on for 24 hours, so that senders can change over; one before it ends at once."</p>
                <p class="mt-4"><DialogLink name="rotate" icon="key-round">"Make another secret"</DialogLink></p>
            </Card>
            <Card title="Remove" class="danger-zone">
                <p class="sub">"Its address answers nobody any more. Its runs are kept."</p>
                <p class="mt-4"><DialogLink name="remove" kind=ButtonKind::Danger icon="trash-2">"Remove the trigger"</DialogLink></p>
            </Card>
        }
    });
    let dialogs = may_edit.then(|| view! { <Dialogs agent=agent.id.to_string() id=id.to_string()/> });
    view! {
        <PageTitle text=name.clone() parents/>
        <PageHead title=name tags=move || cell::state(Switched::of(enabled)) actions=acts/>
        <Tabs label="Agent" items=agent_tabs(agent.id, "triggers")/>
        {at_rest(rest)}
        {old}
        <div class="cols main-side">
            <div class="stack gap-4 min0">
                <Card title="Address">
                    <div class="row wrap"><code class="break">{shown.clone()}</code><CopyButton text=shown label="Copy address"/></div>
                    <Facts class="mt-4"><Fact label="Last call">{last}</Fact></Facts>
                </Card>
                <HowTo address/>
            </div>
            <div class="stack gap-4 min0">{edit}</div>
        </div>
        {dialogs}
    }
}

#[component]
fn Dialogs(agent: String, id: String) -> impl IntoView {
    let (rotate, remove) = (FormAction::of::<RotateAgentTrigger>(), FormAction::of::<RemoveAgentTrigger>());
    let (same_agent, same_id) = (agent.clone(), id.clone());
    view! {
        <ConfirmForm
            name="rotate"
            action=rotate
            title="Make another secret?"
            text="It is shown once. The present one goes on for 24 hours; one that was replaced before it ends at once."
            confirm="Make another secret"
        >
            <input type="hidden" name="agent" value=agent/>
            <input type="hidden" name="id" value=id/>
        </ConfirmForm>
        <ConfirmForm
            name="remove"
            action=remove
            title="Remove this trigger?"
            text="Its address answers nobody any more, and its secret is deleted. Its runs are kept. This cannot be undone."
            confirm="Remove"
            danger=true
        >
            <input type="hidden" name="agent" value=same_agent/>
            <input type="hidden" name="id" value=same_id/>
        </ConfirmForm>
    }
}

/// How another system calls the address: docs/TRIGGERS.md, for this one.
#[component]
fn HowTo(address: String) -> impl IntoView {
    let lines = [
        "SECRET='whsec_…'   # as it was shown".to_owned(),
        "body='{\"order\": \"1001\", \"customer\": \"Ada\"}'".to_owned(),
        "id=\"order-1001\"; now=$(date +%s)".to_owned(),
        "key=$(printf %s \"${SECRET#whsec_}\" | openssl base64 -d -A | od -An -tx1 | tr -d ' \\n')".to_owned(),
        "signature=$(printf %s \"$id.$now.$body\" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | openssl base64 -A)"
            .to_owned(),
        format!("curl '{address}' -H 'content-type: application/json' -H \"webhook-id: $id\" \\"),
        "  -H \"webhook-timestamp: $now\" -H \"webhook-signature: v1,$signature\" -d \"$body\"".to_owned(),
    ];
    let text = lines.join("\n");
    view! {
        <Card title="Call it" right={let text = text.clone(); move || view! { <CopyButton text label="Copy the commands"/> }}>
            <p class="sub">"Requests are signed as Standard Webhooks says. The body is a JSON object of at most 64 kB: the agent is told it, and its texts and numbers fill the prompt’s variables of the same names. The answer names the run."</p>
            <pre class="mt-4 pre-line break"><code>{text}</code></pre>
            <p class="note">"The same webhook-id again makes no second run. At most 30 runs in a minute."</p>
        </Card>
    }
}

#[component]
fn SwitchIt(agent: String, id: String, enabled: bool, again: Callback<()>) -> impl IntoView {
    let switch = FormAction::of::<SwitchAgentTrigger>();
    let (word, icon) = if enabled { ("Switch off", "pause") } else { ("Switch on", "play") };
    view! {
        <ServerForm action=switch class="inline" prefix="switch" on_done=again no_summary=true said="Saved">
            <input type="hidden" name="agent" value=agent/>
            <input type="hidden" name="id" value=id/>
            {(!enabled).then(|| view! { <input type="hidden" name="on" value="true"/> })}
            <SubmitButton kind=ButtonKind::Plain icon>{word}</SubmitButton>
        </ServerForm>
    }
}

/// A trigger's secret, this once.
#[lazy]
pub fn made_trigger_page() -> PageView {
    let params = use_params_map();
    let made = load(|| (), |()| take_trigger_secret());
    Arc::new(move || {
        if let Some(refusal) = refused(Action::ManageAgents) {
            return refusal;
        }
        let back = format!("/agents/{}/triggers", params.read_untracked().get("id").unwrap_or_default());
        let parents = vec![crumb("Agents", "/agents"), crumb("Triggers", back.clone())];
        view! {
            <PageTitle text="Secret of a trigger" parents/>
            <PageBoundary data=made view={move |made: Option<NewSecret>| view! { <Made made back=back.clone()/> }}/>
        }
        .into_any()
    })
}

#[component]
fn Made(made: Option<NewSecret>, back: String) -> impl IntoView {
    let Some(NewSecret { agent, trigger, name, address, secret }) = made else {
        return view! {
            <PageHead title="Secret of a trigger"/>
            <EmptyState icon="key-round" title="Nothing to show" text="A secret is shown once, right after it is made. If you have lost it, make another one: it is shown once as well.">
                <LinkButton href=back>"Back to the triggers"</LinkButton>
            </EmptyState>
        }
        .into_any();
    };
    let done = format!("/agents/{agent}/triggers/{trigger}");
    view! {
        <PageHead title=format!("{name}: the secret") actions=move || view! { <LinkButton href=done.clone()>"Done"</LinkButton> }/>
        <Callout tone=Tone::Warn icon="key-round">
            <b>"Copy it now: it is not shown again."</b>" Keep it where you keep passwords, and out of source code and addresses."
        </Callout>
        <Card>
            <div class="row wrap"><code class="break">{secret.clone()}</code><CopyButton text=secret label="Copy secret"/></div>
            <p class="sub">"For what is sent to "<code class="break">{address}</code></p>
        </Card>
    }
    .into_any()
}
