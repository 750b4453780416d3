//! The chosen endpoint: how it stands, what it hears, and its secret.

use leptos::prelude::*;

use super::BASE;
use super::side::{SwitchOn, TestEvent};
use crate::model::{EndpointStatus, EndpointView, EventType, OldSecret};
use crate::server_fns::{DropOldWebhookSecret, RotateWebhookSecret, SwitchWebhookEndpoint};
use patchbay_shared::money::count_text;
use patchbay_shared::{Stamp, Tone};
use patchbay_shell::HistoryLink;
use patchbay_ui::*;

#[component]
pub(super) fn Endpoint(
    endpoint: EndpointView,
    /// The head alone: a delivery is opened below.
    short: bool,
    again: Callback<()>,
) -> impl IntoView {
    let EndpointView { row, url, counts, secret_at, old_secret } = endpoint;
    let id = row.id.to_string();
    let state = match row.status {
        EndpointStatus::Active if row.archived => (Tone::Mute, "Rests"),
        EndpointStatus::Active if row.failing_since.is_some() => (Tone::Warn, "Failing"),
        status => (status.tone(), status.label()),
    };
    let switch = match row.status {
        EndpointStatus::Active => view! { <Pause id=id.clone() again/> }.into_any(),
        _ => view! { <SwitchOn id=id.clone() held=row.held prefix="head" again/> }.into_any(),
    };
    let failing = row.failing_since.clone().filter(|_| row.status == EndpointStatus::Active).map(|since| {
        view! {
            <Callout tone=Tone::Warn>
                <p>"Every try since "<Time stamp=since/>" has failed. If that goes on for five days, Patchbay switches the endpoint off and keeps what happens meanwhile for 30 days."</p>
            </Callout>
        }
    });
    let archived = row
        .archived
        .then(|| view! { <Callout tone=Tone::Info><p>"The client is archived: nothing is sent."</p></Callout> });
    let body = (!short).then(|| {
        let client = row.client.clone().unwrap_or_else(|| "All clients, and the agency itself".to_owned());
        view! {
            <div class="body stack gap-4">
                {failing}
                {archived}
                <div class="cols two">
                    <Events counts chosen=row.events.clone()/>
                    <div class="stack gap-2">
                        <Secret id=id.clone() secret_at old_secret/>
                        <Facts class="mt-2"><Fact label="Client">{client}</Fact></Facts>
                        <div class="row wrap"><HistoryLink id=id.clone()/></div>
                    </div>
                </div>
            </div>
        }
    });
    view! {
        <section class="card" aria-label=row.name.clone()>
            <header class="ruled endpoint-head">
                <h2>{row.name.clone()}</h2>
                <Tag tone=state.0>{state.1}</Tag>
                <code class="sub text-xs break">{url}</code>
                <div class="r">
                    <TestEvent id=id.clone() prefix="test"/>
                    {switch}
                    <LinkButton href=format!("{BASE}/{id}/edit") icon="pencil">"Edit"</LinkButton>
                </div>
            </header>
            {body}
        </section>
    }
}

#[component]
fn Pause(id: String, again: Callback<()>) -> impl IntoView {
    let switch = FormAction::of::<SwitchWebhookEndpoint>();
    view! {
        <ServerForm action=switch class="inline" prefix="pause" on_done=again no_summary=true said="Paused: what happens meanwhile is kept">
            <input type="hidden" name="id" value=id/>
            <SubmitButton kind=ButtonKind::Plain icon="pause">"Pause"</SubmitButton>
        </ServerForm>
    }
}

/// Which events it hears, and how often each happened.
#[component]
fn Events(counts: Vec<(EventType, i64)>, chosen: Vec<EventType>) -> impl IntoView {
    let heading = format!("Events · {} of {} chosen, counts of the last 24 hours", chosen.len(), counts.len());
    let rows = counts
        .into_iter()
        .map(|(kind, count)| {
            let is_chosen = chosen.contains(&kind);
            let (icon, word) = if is_chosen { ("check", "Told: ") } else { ("minus", "Not told: ") };
            view! {
                <li class=(!is_chosen).then_some("sub") title=kind.label()>
                    <Icon name=icon small=true/><span class="sr">{word}</span><code>{kind.as_str()}</code><span class="x">{count_text(count)}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="stack">
            <h3 class="lbl">{heading}</h3>
            <ul class="heard">{rows}</ul>
        </div>
    }
}

/// Since when the secret signs, and the change from one to the next as a drawing.
#[component]
fn Secret(id: String, secret_at: Stamp, old_secret: Option<OldSecret>) -> impl IntoView {
    let (rotate, drop) = (FormAction::of::<RotateWebhookSecret>(), FormAction::of::<DropOldWebhookSecret>());
    let has_old = old_secret.is_some();
    let shown = match old_secret {
        None => view! {
            <h3 class="lbl">"Secret"</h3>
            <p class="text-sm">"Signs since "<Time stamp=secret_at/>". It was shown once, when it was made."</p>
        }
        .into_any(),
        Some(OldSecret { since, until }) => {
            let new_words = format!("The new secret signs since {}", secret_at.full);
            let old_words = format!("The old secret signs since {} and until {}", since.full, until.full);
            view! {
                <h3 class="lbl">"Secret · changing over, both sign until "<Time stamp=until.clone()/></h3>
                <div class="overlap">
                    <span>"New"</span>
                    <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=new_words>
                        <rect class="fill-primary" x="38" y="0" width="62" height="8" rx="1"></rect>
                    </svg>
                    <span>"Old"</span>
                    <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=old_words>
                        <rect class="fill-mute" x="0" y="0" width="77" height="8" rx="1"></rect>
                    </svg>
                    <span></span>
                    <p class="times"><Time stamp=since/><Time stamp=secret_at/><Time stamp=until/></p>
                </div>
            }
            .into_any()
        }
    };
    let drop_it = has_old
        .then(|| view! { <DialogLink name="drop" kind=ButtonKind::Danger icon="key-round">"Drop the old one now"</DialogLink> });
    let same = id.clone();
    let dialog = has_old.then(|| {
        view! {
            <ConfirmForm
                name="drop"
                action=drop
                title="Drop the old secret?"
                text="Receivers that still verify with it refuse what they are sent from now on. This cannot be undone."
                confirm="Drop it"
                danger=true
            >
                <input type="hidden" name="id" value=same/>
            </ConfirmForm>
        }
    });
    let hours = options_of([("1", "1 hour"), ("24", "24 hours"), ("72", "3 days"), ("168", "7 days")]);
    let warns = if has_old { " The secret before the present one ends at once." } else { "" };
    view! {
        <div class="stack">
            {shown}
            <div class="row wrap">
                <DialogLink name="rotate" icon="rotate-ccw">"Make another secret"</DialogLink>
                {drop_it}
            </div>
        </div>
        <ConfirmForm
            name="rotate"
            action=rotate
            title="Make another secret?"
            text=format!("It is shown once. The present one signs, too, for as long as you choose, so that the receiver can change over.{warns}")
            confirm="Make another secret"
        >
            <input type="hidden" name="id" value=id/>
            <Select name="hours" label="The present one goes on for" options=hours value="24" mark=false/>
        </ConfirmForm>
        {dialog}
    }
}
