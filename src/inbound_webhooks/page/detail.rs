use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::model::{Body, ProcessingStatus, SENDERS, Webhook};
use crate::server_fns::{ReplayWebhook, get_webhook};
use patchbay_shared::money::counted;
use patchbay_ui::*;

/// One event: what came, what was made of it, and the way to work it through again.
#[lazy]
pub fn inbound_webhook_page() -> PageView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let webhook = load(id, get_webhook);
    Arc::new(move || {
        live::on_change(&["webhooks"], move || webhook.refetch());
        view! { <PageBoundary data=webhook view=move |webhook: Webhook| view! { <Detail webhook/> }/> }.into_any()
    })
}

#[component]
fn Detail(webhook: Webhook) -> impl IntoView {
    let sender = SENDERS
        .iter()
        .find(|(name, _)| *name == webhook.provider)
        .map_or(webhook.provider.clone(), |(_, label)| (*label).to_owned());
    let (status, body, headers) = (webhook.status, webhook.body.clone(), webhook.headers.clone());
    let replay_id = (webhook.may_replay && webhook.can_be_replayed()).then(|| webhook.id.clone());
    view! {
        <PageTitle text=webhook.kind.clone() parents=vec![crumb("Settings", "/settings/profile"), crumb("Inbound webhooks", "/queues?queue=webhooks&status=all")]/>
        <PageHead
            title=webhook.kind.clone()
            sub=format!("from {sender}")
            tags=move || view! { <Tag tone=status.tone()>{status.label()}</Tag> }
            actions=move || replay_id.clone().map(|id| view! { <Replay id/> })
        />
        {webhook.note.clone().map(|note| view! { <Remark status note/> })}
        <div class="cols main-side">
            <Card title="Body">{match body {
                Body::Document(value) => view! { <Json value name="body" open=3/> }.into_any(),
                Body::Text(text) => view! { <pre class="code">{text}</pre> }.into_any(),
            }}</Card>
            <div class="stack gap-4 min0">
                <WhatHappened webhook=webhook.clone()/>
                <Headers headers/>
            </div>
        </div>
    }
}

#[component]
fn Remark(status: ProcessingStatus, note: String) -> impl IntoView {
    let (tone, icon) = match status {
        ProcessingStatus::Failed => (patchbay_shared::Tone::Bad, "circle-alert"),
        ProcessingStatus::Completed => (patchbay_shared::Tone::Info, "info"),
        _ => (patchbay_shared::Tone::Warn, "triangle-alert"),
    };
    view! { <Callout tone icon><p>{note}</p></Callout> }
}

#[component]
fn WhatHappened(webhook: Webhook) -> impl IntoView {
    let call = webhook
        .call_id
        .map(|id| view! { <Fact label="Call"><a class="link" href=format!("/calls/{id}")>"Open the call"</a></Fact> });
    view! {
        <Card title="What happened">
            <Facts>
                <Fact label="Received"><Time stamp=webhook.received/></Fact>
                {webhook.processed.map(|stamp| view! { <Fact label="Finished"><Time stamp/></Fact> })}
                {webhook.next_attempt.map(|stamp| view! { <Fact label="Next attempt"><Time stamp/></Fact> })}
                <Fact label="Attempts">{format!("{} of {}", webhook.attempts, webhook.max_attempts)}</Fact>
                <Fact label="Size">{counted(webhook.size, "byte", "bytes")}</Fact>
                <Fact label="Event id"><span class="mono break">{webhook.event_id}</span></Fact>
                {call}
            </Facts>
        </Card>
    }
}

#[component]
fn Headers(headers: Vec<(String, String)>) -> impl IntoView {
    let rows = headers
        .into_iter()
        .map(|(name, value)| view! { <tr><th scope="row" class="mono regular">{name}</th><td class="break">{value}</td></tr> })
        .collect_view();
    view! {
        <section class="card clip">
            <header><h2>"Headers"</h2></header>
            <DataTable label="Headers" class="wrap" head=|| view! { <th scope="col">"Name"</th><th scope="col">"Value"</th> }>{rows}</DataTable>
        </section>
    }
}

#[component]
fn Replay(id: String) -> impl IntoView {
    let replay = FormAction::of::<ReplayWebhook>();
    view! {
        <ServerForm action=replay class="inline" prefix="replay-">
            <input type="hidden" name="id" value=id/>
            <SubmitButton icon="rotate-ccw">"Replay"</SubmitButton>
        </ServerForm>
    }
}
