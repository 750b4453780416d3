use std::sync::Arc;

use leptos::prelude::*;

use crate::model::{KINDS, ProcessingStatus, SENDERS, WebhookList, WebhookQuery, WebhookRow};
use crate::server_fns::{ReplayFailedWebhooks, list_webhooks};
use patchbay_shell::SettingsNav;
use patchbay_shared::money::count_text;
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
        live::on_change(&["webhooks"], move || rows.refetch());
        view! {
            <PageTitle text="Inbound webhooks"/>
            <div class="settings cols">
                <SettingsNav current="/webhooks/inbound"/>
                <div class="stack gap-4 min0">
                    <PageBoundary data=rows view=move |list: WebhookList| view! { <Listed list/> }/>
                </div>
            </div>
        }
        .into_any()
    })
}

#[component]
fn Listed(list: WebhookList) -> impl IntoView {
    let WebhookList { page, failed, may_replay } = list;
    let is_narrowed = ["status", "provider", "kind"].into_iter().any(|key| query(key).is_some());
    let filters = vec![
        Filter::new(
            "status",
            "State",
            options_of(ProcessingStatus::ALL.iter().map(|status| (status.as_str(), status.label()))),
        ),
        Filter::new("provider", "From", options_of(SENDERS)),
        Filter::new("kind", "Event", options_of(KINDS.map(|kind| (kind, kind)))),
    ];
    let rows = if page.rows.is_empty() && is_narrowed {
        view! { <section class="card"><NoMatch what="events"/></section> }.into_any()
    } else if page.rows.is_empty() {
        view! {
            <section class="card">
                <EmptyState
                    icon="webhook"
                    title="Nothing has come in yet"
                    text="The voice service and the carrier report here what happens to calls. The addresses stand on each connection's page."
                >
                    <LinkButton href="/connections">"Connections"</LinkButton>
                </EmptyState>
            </section>
        }
        .into_any()
    } else {
        view! { <Table rows=page.rows newer=page.newer older=page.older/> }.into_any()
    };
    view! {
        <PageHead
            title="Inbound webhooks"
            sub="What the outside services reported. Each event is kept as it came and counts once, however often it is worked through."
            actions=move || view! {
                <ExportLink path="/webhooks/inbound.csv"/>
                {(may_replay && failed > 0).then(|| view! {
                    <DialogLink name="replay" icon="rotate-ccw">{format!("Replay {} failed", counted(failed))}</DialogLink>
                })}
            }
        />
        <FilterBar filters/>
        {rows}
        {(may_replay && failed > 0).then(|| view! { <ReplayAll failed/> })}
    }
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

#[component]
fn Table(rows: Vec<WebhookRow>, newer: Option<String>, older: Option<String>) -> impl IntoView {
    let rows = rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    view! {
        <section class="card clip">
            <DataTable
                label="Inbound webhooks"
                class="mid"
                head=|| view! {
                    <th scope="col">"Received"</th>
                    <th scope="col">"From"</th>
                    <th scope="col">"Event"</th>
                    <th scope="col">"State"</th>
                    <th scope="col" class="num">"Tries"</th>
                    <th scope="col">"Remark"</th>
                }
            >
                {rows}
            </DataTable>
            <Pager newer older note="50 per page, newest first"/>
        </section>
    }
}

#[component]
fn Row(row: WebhookRow) -> impl IntoView {
    let sender = SENDERS
        .iter()
        .find(|(name, _)| *name == row.provider)
        .map_or(row.provider.clone(), |(_, label)| (*label).to_owned());
    view! {
        <tr>
            <td class="nowrap"><a class="link" href=format!("/webhooks/inbound/{}", row.id)><Time stamp=row.received/></a></td>
            <td>{sender}</td>
            <td class="mono">{row.kind}</td>
            <td><State tone=row.status.tone() label=row.status.label()/></td>
            <td class="num">{row.attempts}</td>
            <td class="sub">{row.note}</td>
        </tr>
    }
}
