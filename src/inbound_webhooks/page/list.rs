use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{KINDS, ProcessingStatus, SENDERS, WebhookList, WebhookQuery, WebhookRow};
use crate::server_fns::{ReplayFailedWebhooks, list_webhooks};
use patchbay_shared::money::count_text;
use patchbay_shell::SettingsNav;
use patchbay_ui::*;

/// Everything that the outside services reported, and how far it was worked through.
#[lazy]
pub fn inbound_webhooks_page() -> PageView {
    let asked = || WebhookQuery {
        status: query("status"),
        provider: query("provider"),
        kind: query("kind"),
        cursor: query("cursor"),
    };
    let rows = load(asked, list_webhooks);
    Arc::new(move || {
        List::<WebhookRow>::new("Inbound webhooks")
            .under(crumb("Settings", "/settings/profile"))
            .subtitle(
                "What the outside services reported. Each event is stored as received and counted once, however often it is processed.",
            )
            .live(&["webhooks"])
            .export("/webhooks/inbound.csv")
            .action(when_failed(rows, |failed| {
                let text = format!("Replay {} failed", counted(failed));
                view! { <DialogLink name="replay" icon="rotate-ccw">{text}</DialogLink> }.into_any()
            }))
            .above(when_failed(rows, |failed| view! { <ReplayAll failed/> }.into_any()))
            .within(|list| {
                view! {
                    <div class="cols settings">
                        <SettingsNav current="/webhooks/inbound"/>
                        <div class="stack gap-4 min0">{list}</div>
                    </div>
                }
            })
            .filter(Filter::words("status", "State", ProcessingStatus::ALL))
            .filter(Filter::new("provider", "From", options_of(SENDERS)))
            .filter(Filter::new("kind", "Event", options_of(KINDS.map(|kind| (kind, kind)))))
            .what("events")
            .no_match_in_card()
            .table("mid")
            .column("Received", |row| {
                let time = cell::time(&row.received);
                view! { <a class="link" href=format!("/webhooks/inbound/{}", row.id)>{time}</a> }
            })
            .class("nowrap")
            .column("From", |row| {
                let known = SENDERS.iter().find(|(name, _)| *name == row.provider);
                known.map_or_else(|| row.provider.clone(), |(_, label)| (*label).to_owned())
            })
            .column("Event", |row| row.kind.clone())
            .class("mono")
            .column("State", |row| cell::state(row.status))
            .number("Tries", |row| row.attempts)
            .column("Remark", |row| row.note.clone())
            .class("sub")
            .note("50 per page, newest first")
            .empty_view(|| view! {
                <section class="card">
                    <EmptyState
                        icon="webhook"
                        title="No events yet"
                        text="The voice service and the carrier report here what happens to calls. You find the addresses on each connection's page."
                    >
                        <LinkButton href="/connections">"Connections"</LinkButton>
                    </EmptyState>
                </section>
            })
            .page_of(rows, |list: WebhookList| list.page)
    })
}

/// What is there only while events have failed, for those who may have them worked through again.
fn when_failed(rows: Loaded<WebhookList>, view: fn(i64) -> AnyView) -> impl IntoView {
    let shown = move || {
        let list = rows.get()?.ok()?;
        (list.may_replay && list.failed > 0).then(|| view(list.failed))
    };
    view! { <Transition>{shown}</Transition> }
}

/// The count stops at a thousand.
fn counted(failed: i64) -> String {
    if failed >= 1000 { "1,000+".to_owned() } else { count_text(failed) }
}

#[component]
fn ReplayAll(failed: i64) -> impl IntoView {
    let replay = FormAction::of::<ReplayFailedWebhooks>();
    view! {
        <ConfirmForm
            name="replay"
            action=replay
            title="Replay all failed events?"
            text=format!("{} events are worked through again. What one of them changed already is not changed twice.", counted(failed))
            confirm="Replay"
        />
    }
}
